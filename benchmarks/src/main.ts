import { parseArgs } from 'node:util'
import { bare, broadcast } from './broadcast.ts'
import { consolePages } from './console.ts'
import { dialects } from './dialects.ts'
import { latency } from './latency.ts'
import { sampleMemory } from './processes.ts'
import { registration } from './registration.ts'
import { openReport, type Report } from './report.ts'
import { openScene, type Scene, seedDevices } from './scene.ts'

const figures = ['registration', 'dialects', 'latency', 'broadcast', 'memory', 'console'] as const
type Name = (typeof figures)[number]

const help = `npm run bench -- [options]
  --only NAME     one of ${figures.join(', ')}; may be given several times
  --backend NAME  postgres (default), redis or both: where the queues live
  --workers N     worker processes (default 1)
  --devices N     devices of the broadcast (default 100000); the memory figure takes five times as many,
                  the console's has a million deliveries to them
  --seed TEXT     determines tokens and people (default pushkeep)
Each figure is a line of JSON, also in benchmarks/results/; a table closes the run.`

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    backend: { type: 'string', default: 'postgres' },
    workers: { type: 'string', default: '1' },
    devices: { type: 'string', default: '100000' },
    seed: { type: 'string', default: 'pushkeep' },
    help: { type: 'boolean', default: false },
  },
})
const { seed } = values
const devices = Number(values.devices)
const wanted = figures.filter((name) => !values.only || values.only.includes(name))

async function runOn(backend: string): Promise<boolean> {
  const scene = await openScene({
    withRedis: backend === 'redis',
    workers: Number(values.workers),
  })
  const file = new URL(`../results/${new Date().toISOString()}-${backend}.jsonl`, import.meta.url)
  const report = openReport(file.pathname, { backend, seed, workers: Number(values.workers) })
  try {
    for (const name of wanted) await run[name](scene, report)
  } finally {
    await scene.close()
  }
  return report.close()
}

const run: Record<Name, (scene: Scene, report: Report) => Promise<void>> = {
  async registration(scene, report) {
    await registration(scene, 3000, `warm-up-${seed}`)
    const { perSecond, ...detail } = await registration(scene, 30_000, seed)
    const figure = { figure: 'registration', value: perSecond, unit: '1/s', bar: { least: 3000 } }
    await report.add({ ...figure, detail })
  },
  dialects: (scene, report) => dialects(scene, report, { items: 20_000, seed }),
  async latency(scene, report) {
    await latency(scene, 50, 100, `latency-warm-up-${seed}`)
    const result = await latency(scene, 50, 1500, `latency-${seed}`)
    const detail = { messages: result.messages, maxMs: result.maxMs }
    const add = (name: string, value: number, most: number) =>
      report.add({ figure: name, value, unit: 'ms', bar: { most }, detail })
    await add('latency p50', result.p50Ms, 15)
    await add('latency p99', result.p99Ms, 60)
  },
  async broadcast(scene, report) {
    await seedDevices(scene, devices, seed)
    const credentials = await scene.credentials()
    const { rows } = await scene.database.query<{ n: number }>(
      'select count(*)::int n from devices',
    )
    const all = rows[0]?.n ?? 0
    // In turn, so that both meet the same machine; the first of each warms up.
    const ratios: number[] = []
    for (const round of [0, 1, 2, 3]) {
      const plain = await bare(scene, all, credentials)
      const ours = await broadcast(scene, all)
      if (round === 0) continue
      ratios.push(ours.perSecond / plain.perSecond)
      await report.add({
        figure: 'bare',
        value: plain.perSecond,
        unit: '1/s',
        detail: { ...plain },
      })
      await report.add({
        figure: 'broadcast',
        value: ours.perSecond,
        unit: '1/s',
        detail: { ...ours },
      })
    }
    const median = ratios.toSorted((a, b) => a - b)[ratios.length >> 1] ?? 0
    const figure = { figure: 'broadcast/bare', value: median, unit: '', bar: { least: 0.35 } }
    await report.add({ ...figure, detail: { ratios } })
  },
  console: (scene, report) => consolePages(scene, report, { devices, seed }),
  async memory(scene, report) {
    const peaks: number[] = []
    for (const count of [devices, devices * 5]) {
      await seedDevices(scene, count, seed)
      const sampler = sampleMemory(scene.pids['workers-1'] ?? 0)
      await broadcast(scene, count)
      const { peakMb, medianMb } = sampler.stop()
      peaks.push(peakMb)
      await report.add({
        figure: `worker memory at ${count}`,
        value: peakMb,
        unit: 'MB',
        bar: { most: 300 },
        detail: { medianMb },
      })
    }
    const growth = (peaks[1] ?? 0) / (peaks[0] ?? 1)
    await report.add({
      figure: 'worker memory growth',
      value: growth,
      unit: '',
      bar: { most: 1.2 },
    })
  },
}

if (values.help || wanted.length === 0) {
  console.log(help)
} else {
  const backends = values.backend === 'both' ? ['postgres', 'redis'] : [values.backend]
  const isReached = []
  for (const backend of backends) isReached.push(await runOn(backend))
  process.exitCode = isReached.every(Boolean) ? 0 : 1
}
