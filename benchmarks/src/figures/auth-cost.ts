import { fork } from 'node:child_process'
import type { LeanOptions } from '../lean-registry.ts'
import { measureCpu } from '../processes.ts'
import type { Report } from '../report.ts'
import type { Scene } from '../scene.ts'
import { callAll, registering } from './registration.ts'

/** What guards a registration. */
type Guards = Pick<LeanOptions, 'keys' | 'limits' | 'rowLevel'>

const nothing: Guards = { keys: false, limits: false, rowLevel: false }
const variants: Record<string, Guards> = {
  none: nothing,
  keys: { ...nothing, keys: true },
  limits: { ...nothing, limits: true },
  'row-level security': { ...nothing, rowLevel: true },
  all: { keys: true, limits: true, rowLevel: true },
}

const rounds = 5
const count = 5000
/** Fixed, so that as many share a statement in each of them. */
const ratePerSecond = 1500

/** One run of registrations. */
interface Cost {
  /** What one takes of the processors, by registry and PostgreSQL, in µs. */
  cpu: number
  /** How long the middle one waits, in ms. */
  p50Ms: number
}

/**
 * What keys, limits and row-level security cost a registration of a new token, and of one that is known: registries
 * with each, all and none of them run the same in turn.
 */
export async function authCost(scene: Scene, report: Report, seed: string): Promise<void> {
  const registries = await Promise.all(
    Object.entries(variants).map(async ([name, guards]) => ({
      name,
      ...(await startRegistry(scene, guards)),
    })),
  )
  try {
    const costs = { new: new Map<string, Cost[]>(), known: new Map<string, Cost[]>() }
    for (let round = 0; round <= rounds; round += 1) {
      // Each goes first now and then, and after another one.
      const turned = registries.map((_, n) => registries[(n + round) % registries.length])
      const turns = round % 2 === 0 ? turned : turned.toReversed()
      for (const registry of turns) {
        if (!registry) continue
        const mark = `${seed}-${registry.name.replaceAll(' ', '-')}-${round}`
        for (const kind of ['new', 'known'] as const) {
          const cost = await measure(scene, registry, mark)
          // The first round warms up.
          if (round > 0)
            costs[kind].set(registry.name, [...(costs[kind].get(registry.name) ?? []), cost])
        }
      }
    }
    for (const kind of ['new', 'known'] as const) await tell(report, kind, costs[kind])
  } finally {
    for (const { stop } of registries) stop()
  }
}

async function tell(report: Report, kind: string, costs: Map<string, Cost[]>): Promise<void> {
  // The least of the rounds: whatever else the machine does only adds.
  const least = (name: string, of: keyof Cost) =>
    Math.min(...(costs.get(name) ?? []).map((cost) => cost[of]))
  const against = (name: string, of: keyof Cost) => least(name, of) / least('none', of)
  const names = Object.keys(variants)
  await report.add({
    figure: `registration guarded / not: ${kind}`,
    value: against('all', 'cpu'),
    unit: '',
    bar: { most: 1.1 },
    detail: {
      cpu: Object.fromEntries(names.map((name) => [name, against(name, 'cpu')])),
      p50Ms: Object.fromEntries(names.map((name) => [name, least(name, 'p50Ms')])),
      microseconds: Object.fromEntries(names.map((name) => [name, least(name, 'cpu')])),
    },
  })
}

interface Registry {
  url: string
  pid: number
}

async function measure(scene: Scene, { url, pid }: Registry, mark: string): Promise<Cost> {
  const { postgres } = scene.pids
  const pids = { registry: pid, ...(postgres === undefined ? {} : { postgres }) }
  const headers = { authorization: `Bearer ${scene.local.secret_key}` }
  const { result, seconds, cores } = await measureCpu(pids, () =>
    callAll(url, headers, registering, count, mark, ratePerSecond),
  )
  if (result.statuses[200] !== count) throw new Error(JSON.stringify(result.statuses))
  const used = Object.values(cores).reduce((sum, share) => sum + share * seconds, 0)
  return { cpu: (used / count) * 1e6, p50Ms: result.p50Ms }
}

async function startRegistry(
  { local }: Scene,
  guards: Guards,
): Promise<Registry & { stop: () => void }> {
  const options: LeanOptions = {
    databaseUrl: local.database_url,
    secretKey: local.secret_key,
    ...guards,
  }
  const child = fork(new URL('../lean-registry.ts', import.meta.url))
  child.send(options)
  const url = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve(String(message)))
    child.once('exit', (code) => reject(new Error(`a registry ended with ${code}`)))
  })
  return {
    url,
    pid: child.pid ?? 0,
    stop() {
      child.removeAllListeners('exit')
      child.kill()
    },
  }
}
