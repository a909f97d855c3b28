import { type LoadResult, load } from '../load.ts'
import { median, type Report } from '../report.ts'
import { type Scene, seedDevices, tokenAt } from '../scene.ts'
import { register, registering } from './registration.ts'

const callsEach = 20_000
const rounds = 3

/** Registering and looking up where few devices are stored, and where many are. */
export async function registrySize(
  scene: Scene,
  report: Report,
  { few, many, seed }: { few: number; many: number; seed: string },
): Promise<void> {
  const rates = []
  let stored = 0
  for (const [size, count] of [few, many].entries()) {
    await seedDevices(scene, count, seed, stored + 1)
    stored = count
    await register(scene, registering, 5000, `${seed}-size-${size}-warm-up`)
    const registered: number[] = []
    const read: number[] = []
    for (let round = 0; round < rounds; round += 1) {
      const mark = `${seed}-size-${size}-${round}`
      registered.push((await register(scene, registering, callsEach, mark)).perSecond)
      read.push((await lookUp(scene, count, seed, round)).perSecond)
    }
    rates.push({ count, registration: median(registered), lookup: median(read) })
  }
  const [small, large] = rates
  for (const what of ['registration', 'lookup'] as const) {
    await report.add({
      figure: `${what} at ${large?.count} / ${small?.count}`,
      value: (large?.[what] ?? 0) / (small?.[what] ?? 1),
      unit: '',
      bar: { least: 0.8 },
      detail: { perSecond: rates.map((rate) => rate[what]) },
    })
  }
}

/** Reads devices all over the table, by their tokens. */
async function lookUp(
  scene: Scene,
  stored: number,
  seed: string,
  round: number,
): Promise<LoadResult> {
  const { local } = scene
  // A step that is prime to the count: each is met once, in no order.
  const step = 7_368_787
  const result = await load({
    url: local.registry_url,
    connections: 64,
    count: callsEach,
    headers: { authorization: `Bearer ${local.secret_key}` },
    request: (n) => ({
      method: 'GET',
      path: `/v1/devices/${tokenAt(seed, 1 + (((n + round * callsEach) * step) % stored))}`,
    }),
  })
  if (result.statuses[200] !== callsEach) {
    throw new Error(`not all were found: ${JSON.stringify(result.statuses)}`)
  }
  return result
}
