import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { type LoadRequest, type LoadResult, load } from '../load.ts'
import { measureCpu } from '../processes.ts'
import { median, type Report } from '../report.ts'
import type { Scene } from '../scene.ts'

/** A call of which each is about a new person, whose id begins with `mark`. */
interface Kind {
  name: string
  request: (n: number, mark: string) => LoadRequest
  /** How many of a mark are stored. */
  stored: string
  ratioLeast: number
}

const tokenOf = (mark: string, n: number) =>
  createHash('sha256').update(`${mark} ${n}`).digest('hex')

export const registering: Kind = {
  name: 'registration',
  request: (n, mark) => ({
    method: 'PUT',
    path: `/v1/people/${mark}-${n}/devices`,
    body: JSON.stringify({
      device: {
        id: tokenOf(mark, n),
        platform: 'ios',
        attributes: { app_version: '4.2.0', device_os: '19.1', push_enabled: 'true' },
      },
    }),
  }),
  stored: `select count(*)::int as n from devices join people p using (person_no) where p.id like $1`,
  ratioLeast: 0.5,
}

const identifying: Kind = {
  name: 'identify',
  request: (n, mark) => ({
    method: 'PUT',
    path: `/v1/people/${mark}-${n}`,
    body: JSON.stringify({
      attributes: {
        first_name: `Name ${n}`,
        plan: n % 3 === 0 ? 'pro' : 'free',
        visits: n,
        address: { city: 'Oslo', zip: String(n % 10_000) },
      },
    }),
  }),
  stored: `select count(*)::int as n from people where id like $1 and attributes ? 'plan'`,
  ratioLeast: 0.45,
}

/** Largest time of the slowest hundredth at 70 % of the top rate, in ms. */
const p99Most = 50

const rounds = 3

/** Registering and identifying against a plain Fastify that stores nothing, in turn. */
export async function registration(scene: Scene, report: Report, seed: string): Promise<void> {
  const bare = await startBare()
  try {
    for (const kind of [registering, identifying]) await compare(scene, report, kind, bare, seed)
  } finally {
    bare.stop()
  }
}

async function compare(
  scene: Scene,
  report: Report,
  kind: Kind,
  bare: Bare,
  seed: string,
): Promise<void> {
  const rates: { ours: LoadResult; plain: LoadResult; cores: Record<string, number> }[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const count = round === 0 ? 5000 : 30_000
    const plain = await callAll(bare.url, {}, kind, count, `bare-${round}`)
    const { result, cores } = await measureCpu({ ...scene.pids, load: process.pid }, () =>
      register(scene, kind, count, `${seed}-${kind.name}-${round}`),
    )
    if (round > 0) rates.push({ ours: result, plain, cores })
  }
  const top = median(rates.map(({ ours }) => ours.perSecond))
  const [{ ours, cores } = {}] = rates
  await report.add({
    figure: kind.name,
    value: top,
    unit: '1/s',
    bar: { least: 3000 },
    detail: { p50Ms: ours?.p50Ms, p99Ms: ours?.p99Ms, cores },
  })
  const ratios = rates.map(({ ours, plain }) => ours.perSecond / plain.perSecond)
  await report.add({
    figure: `${kind.name}/bare`,
    value: median(ratios),
    unit: '',
    bar: { least: kind.ratioLeast },
    detail: { ratios, barePerSecond: median(rates.map(({ plain }) => plain.perSecond)) },
  })
  const calm = await register(scene, kind, 20_000, `${seed}-${kind.name}-calm`, top * 0.7)
  await report.add({
    figure: `${kind.name} p99 at 70 %`,
    value: calm.p99Ms,
    unit: 'ms',
    bar: { most: p99Most },
    detail: { perSecond: calm.perSecond, p50Ms: calm.p50Ms },
  })
}

/** Calls the registry, and makes sure that all of it is stored. */
export async function register(
  scene: Scene,
  kind: Kind,
  count: number,
  mark: string,
  ratePerSecond?: number,
): Promise<LoadResult> {
  const { local, database } = scene
  const headers = { authorization: `Bearer ${local.secret_key}` }
  const result = await callAll(local.registry_url, headers, kind, count, mark, ratePerSecond)
  const { rows } = await database.query<{ n: number }>(kind.stored, [`${mark}-%`])
  if (rows[0]?.n !== count) throw new Error(`${rows[0]?.n} are stored, not ${count}`)
  return result
}

export function callAll(
  url: string,
  headers: Record<string, string>,
  { request }: Kind,
  count: number,
  mark: string,
  ratePerSecond?: number,
): Promise<LoadResult> {
  return load({
    url,
    connections: 64,
    count,
    ratePerSecond,
    headers: { ...headers, 'content-type': 'application/json' },
    request: (n) => request(n, mark),
  })
}

interface Bare {
  url: string
  stop: () => void
}

async function startBare(): Promise<Bare> {
  const child = fork(new URL('../bare-routes.ts', import.meta.url))
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve(String(message)))
    child.once('exit', (code) => reject(new Error(`the bare routes ended with ${code}`)))
  })
  return {
    url,
    stop() {
      child.removeAllListeners('exit')
      child.kill()
    },
  }
}
