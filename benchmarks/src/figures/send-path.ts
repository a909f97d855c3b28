import { sampleMemory } from '../processes.ts'
import { median, type Report } from '../report.ts'
import { type Scene, seedDevices, seedOwners, useFcm } from '../scene.ts'
import { type BroadcastResult, bare, broadcast } from './broadcast.ts'

interface Size {
  devices: number
  seed: string
}

const rounds = 3

/** So many devices need no warm-up: what a process compiles at first is a hundredth of it. */
const manyDevices = 500_000

async function countDevices(scene: Scene): Promise<number> {
  const { rows } = await scene.database.query<{ n: number }>(
    'select count(*)::int as n from devices where deleted_at is null',
  )
  return rows[0]?.n ?? 0
}

/**
 * A broadcast and the plain loop, in turn, so that both meet the same machine; the first warms up. Of many
 * devices one pair says it.
 */
async function againstBare(
  scene: Scene,
  report: Report,
  provider: 'apns' | 'fcm',
): Promise<BroadcastResult[]> {
  const devices = await countDevices(scene)
  const results: BroadcastResult[] = []
  const plainRates: number[] = []
  const areMany = devices >= manyDevices
  for (let round = areMany ? rounds : 0; round <= rounds; round += 1) {
    const plain = await bare(scene, provider, devices)
    const ours = await broadcast(scene, devices)
    if (round === 0) continue
    results.push(ours)
    plainRates.push(plain.perSecond)
    const name = provider.toUpperCase()
    const add = (figure: string, value: number, detail: object) =>
      report.add({ figure: `${figure} ${name}`, value, unit: '1/s', detail: { ...detail } })
    await add('bare', plain.perSecond, plain)
    await add('broadcast', ours.perSecond, ours)
  }
  const ratios = results.map((ours, n) => ours.perSecond / (plainRates[n] ?? Number.NaN))
  await report.add({
    figure: `broadcast/bare ${provider.toUpperCase()}`,
    value: median(ratios),
    unit: '',
    bar: { least: 0.6 },
    detail: { ratios, devices },
  })
  return results
}

/** Broadcasts to iPhones: rate, memory of a worker, bytes of a recorded delivery. */
export async function apns(scene: Scene, report: Report, { devices, seed }: Size): Promise<void> {
  await seedDevices(scene, devices, seed)
  const sampler = sampleMemory(scene.pids['workers-1'] ?? 0)
  await againstBare(scene, report, 'apns')
  const { peakMb, medianMb } = sampler.stop()
  await report.add({
    figure: 'worker memory',
    value: peakMb,
    unit: 'MB',
    bar: { most: 250 },
    detail: { medianMb, devices: await countDevices(scene) },
  })
  await report.add({
    figure: 'storage of a delivery',
    value: await bytesOfDelivery(scene),
    unit: 'bytes',
    bar: { most: 160 },
  })
}

async function bytesOfDelivery(scene: Scene): Promise<number> {
  const { rows } = await scene.database.query<{ bytes: number }>(
    `select sum(pg_total_relation_size(inhrelid))::float8 / (select count(*) from deliveries) as bytes
     from pg_inherits where inhparent = 'deliveries'::regclass`,
  )
  return rows[0]?.bytes ?? Number.NaN
}

/** The same to Android phones. */
export async function fcm(scene: Scene, report: Report, { devices, seed }: Size): Promise<void> {
  await seedDevices(scene, devices, seed)
  await useFcm(scene)
  await againstBare(scene, report, 'fcm')
}

/** A provider that takes its time against one that answers at once. */
export async function slowProvider(
  scene: Scene,
  report: Report,
  { devices, seed }: Size,
): Promise<void> {
  await seedDevices(scene, devices, seed)
  const all = await countDevices(scene)
  await broadcast(scene, all)
  const delays = [50, 200]
  const rates = new Map<number, number[]>([0, ...delays].map((ms) => [ms, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const ms of rates.keys()) {
      await setDelay(scene, ms)
      rates.get(ms)?.push((await broadcast(scene, all)).perSecond)
    }
  }
  await setDelay(scene, 0)
  const base = rates.get(0) ?? []
  for (const ms of delays) {
    const own = rates.get(ms) ?? []
    const ratios = own.map((rate, n) => rate / (base[n] ?? Number.NaN))
    await report.add({
      figure: `answers after ${ms} ms / at once`,
      value: median(ratios),
      unit: '',
      bar: { least: 0.9 },
      detail: { ratios, perSecond: median(own), devices: all },
    })
  }
}

/** How long the provider takes for an answer. */
export async function setDelay(scene: Scene, ms: number): Promise<void> {
  const body = JSON.stringify({ apns: { delay_ms: ms }, fcm: { delay_ms: ms } })
  await fetch(`${scene.local.simulator_url}/faults`, { method: 'PUT', body })
}

/** Time a device of a large broadcast against a small one. */
export async function growth(scene: Scene, report: Report, { devices, seed }: Size): Promise<void> {
  const few = Math.ceil(devices / 100)
  const perDevice = []
  let stored = 0
  for (const count of [few, devices]) {
    await seedDevices(scene, count, seed, stored + 1)
    stored = count
    const all = await countDevices(scene)
    if (all < manyDevices) await broadcast(scene, all)
    const times = []
    const repeats = count === few ? 5 : 1
    for (let n = 0; n < repeats; n += 1) {
      const { seconds } = await broadcast(scene, all)
      times.push((seconds * 1e6) / all)
    }
    perDevice.push(median(times))
  }
  const [small = Number.NaN, large = Number.NaN] = perDevice
  await report.add({
    figure: `time a device at ${devices} / ${few}`,
    value: large / small,
    unit: '',
    bar: { most: 1.1 },
    detail: { microseconds: perDevice },
  })
}

const personal = {
  templating: 'liquid',
  trigger: { sale: 'autumn' },
  content: {
    title: 'Hello {{ customer.first_name | default: "you" }}',
    body: '{% if customer.plan == "pro" %}For pros{% else %}For you{% endif %}: {{ trigger.sale }}',
  },
}
const fixed = { content: { title: 'Hello Name 12345', body: 'For pros: autumn' } }

/** A text for each person against one for all, in turn. */
export async function personalised(
  scene: Scene,
  report: Report,
  { devices, seed }: Size,
): Promise<void> {
  await seedDevices(scene, devices, seed)
  await seedOwners(scene, seed)
  const all = await countDevices(scene)
  await broadcast(scene, all, personal)
  const ratios: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const plain = await broadcast(scene, all, fixed)
    const own = await broadcast(scene, all, personal)
    ratios.push(own.perSecond / plain.perSecond)
  }
  await report.add({
    figure: 'personalised / fixed content',
    value: median(ratios),
    unit: '',
    bar: { least: 0.8 },
    detail: { ratios, devices: all },
  })
}
