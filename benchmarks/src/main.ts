import { parseArgs } from 'node:util'
import { authCost } from './figures/auth-cost.ts'
import { bystander } from './figures/bystander.ts'
import { consolePages } from './figures/console.ts'
import { deadTokens } from './figures/dead-tokens.ts'
import { dialects } from './figures/dialects.ts'
import { importing } from './figures/import.ts'
import { latency } from './figures/latency.ts'
import { onePerson, shadow } from './figures/one-person.ts'
import { registration } from './figures/registration.ts'
import { registrySize } from './figures/registry-size.ts'
import { apns, fcm, growth, personalised, slowProvider } from './figures/send-path.ts'
import { openReport, type Report } from './report.ts'
import { openScene, type Scene } from './scene.ts'

const options = {
  only: { type: 'string', multiple: true },
  backend: { type: 'string', default: 'postgres' },
  workers: { type: 'string', default: '1' },
  devices: { type: 'string', default: '100000' },
  registry: { type: 'string', default: '1000000' },
  lines: { type: 'string', default: '200000' },
  trouble: { type: 'string', multiple: true },
  seed: { type: 'string', default: 'pushkeep' },
  help: { type: 'boolean', default: false },
} as const
const { values } = parseArgs({ options })
const { seed } = values
const devices = Number(values.devices)

/** Each in a fresh installation, so that none meets what another left. */
const figures: Record<string, (scene: Scene, report: Report) => Promise<void>> = {
  registration: (scene, report) => registration(scene, report, seed),
  'auth-cost': (scene, report) => authCost(scene, report, seed),
  registry: (scene, report) =>
    registrySize(scene, report, { few: 100_000, many: Number(values.registry), seed }),
  dialects: (scene, report) => dialects(scene, report, { items: 20_000, seed }),
  import: (scene, report) => importing(scene, report, { lines: Number(values.lines), seed }),
  latency: (scene, report) => steadyLatency(scene, report),
  messages: (scene, report) => onePerson(scene, report, seed),
  shadow: (scene, report) => shadow(scene, report, { devices, seed }),
  bystander: (scene, report) =>
    bystander(scene, report, { devices, seed, only: values.trouble ?? [] }),
  broadcast: (scene, report) => apns(scene, report, { devices, seed }),
  fcm: (scene, report) => fcm(scene, report, { devices, seed }),
  slow: (scene, report) => slowProvider(scene, report, { devices, seed }),
  dead: (scene, report) => deadTokens(scene, report, seed),
  growth: (scene, report) => growth(scene, report, { devices, seed }),
  personalised: (scene, report) => personalised(scene, report, { devices, seed }),
  console: (scene, report) => consolePages(scene, report, { devices, seed }),
}

const help = `npm run bench -- [options]
  --only NAME     one of ${Object.keys(figures).join(', ')}; may be given several times
  --backend NAME  postgres (default), redis or both: where the queues live
  --workers N     worker processes (default 1)
  --devices N     devices of a broadcast (default 100000); the console's has a million deliveries to them
  --registry N    devices of the large registry (default 1000000), against 100,000
  --lines N       lines of each imported file (default 200000)
  --trouble TEXT  of the bystander's troubles those alone whose name has this; may be given several times
  --seed TEXT     determines tokens and people (default pushkeep)
Each figure is a line of JSON, also in benchmarks/results/; a table closes the run.`

async function steadyLatency(scene: Scene, report: Report): Promise<void> {
  await latency(scene, 50, 100, `latency-warm-up-${seed}`)
  const result = await latency(scene, 50, 1500, `latency-${seed}`)
  const detail = { messages: result.messages, maxMs: result.maxMs }
  const add = (name: string, value: number, most: number) =>
    report.add({ figure: name, value, unit: 'ms', bar: { most }, detail })
  await add('latency p50', result.p50Ms, 15)
  await add('latency p99', result.p99Ms, 60)
}

async function runOn(backend: string, names: readonly string[]): Promise<boolean> {
  const file = new URL(`../results/${new Date().toISOString()}-${backend}.jsonl`, import.meta.url)
  const report = openReport(file.pathname, { backend, seed, workers: Number(values.workers) })
  for (const name of names) {
    const workers = Number(values.workers)
    const scene = await openScene({ withRedis: backend === 'redis', workers })
    try {
      await figures[name]?.(scene, report)
    } finally {
      await scene.close()
    }
  }
  return report.close()
}

const wanted = values.only ?? Object.keys(figures)
const unknown = wanted.filter((name) => !Object.hasOwn(figures, name))
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`there is no figure ${unknown.join(', ')}`)
  console.log(help)
  process.exitCode = values.help ? 0 : 2
} else {
  const backends = values.backend === 'both' ? ['postgres', 'redis'] : [values.backend]
  const areReached = []
  for (const backend of backends) areReached.push(await runOn(backend, wanted))
  process.exitCode = areReached.every(Boolean) ? 0 : 1
}
