import { parseArgs } from 'node:util'
import { tableOf } from './figures.ts'
import { messagesPerSecond, registrationsPerSecond, runSoak } from './run.ts'
import { lineOf } from './sample.ts'
import { openScene } from './scene.ts'

const help = `npm run soak -- [options]
  --minutes N     how long the load lasts (default 10)
  --backend NAME  postgres (default) or redis: where the queues live
  --devices N     size of the population (default 20000)
  --load SHARE    how much of the usual load (default 1), for a machine that cannot carry all of it
  --seed TEXT     determines who does what (default pushkeep)
Starts an installation of its own with two processes of workers, and takes it away again. Each 30 s
prints a line of JSON and one for people; the verdict closes the run, as both.`

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    backend: { type: 'string', default: 'postgres' },
    devices: { type: 'string', default: '20000' },
    load: { type: 'string', default: '1' },
    seed: { type: 'string', default: 'pushkeep' },
    help: { type: 'boolean', default: false },
  },
})

function within(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (value >= least && value <= most) return value
  throw new Error(`--${name} takes a number between ${least} and ${most}`)
}

async function main(): Promise<boolean> {
  const { backend, seed } = values
  if (backend !== 'postgres' && backend !== 'redis') {
    throw new Error('--backend takes postgres or redis')
  }
  const minutes = within('minutes', values.minutes, 0.25, 24 * 60)
  const devices = within('devices', values.devices, 100, 1_000_000)
  const load = within('load', values.load, 0.05, 10)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  const rates = `${load * registrationsPerSecond} registrations and ${load * messagesPerSecond} messages a second`
  console.log(`soak: ${minutes} min on ${backend}, ${devices} devices, ${rates}, seed ${seed}`)
  await using scene = await openScene(backend)
  const result = await runSoak({
    scene,
    minutes,
    devices,
    load,
    seed,
    signal: stop.signal,
    onSample: (sample) => {
      console.log(JSON.stringify(sample))
      console.log(lineOf(sample))
    },
  })
  const { figures, surprises } = result
  const ok = figures.every((one) => one.ok !== false)
  console.log(JSON.stringify({ ok, backend, minutes, devices, load, seed, figures, surprises }))
  console.log(`\n${tableOf(figures)}\n`)
  for (const surprise of surprises) console.log(`unexpected: ${surprise}`)
  const isShort = figures.some((one) => one.ok === null)
  const short = isShort ? ' (too short for growth: ten minutes tell)' : ''
  console.log(
    `soak: ${minutes} min on ${backend}, ${rates}, seed ${seed}: ${ok ? 'passed' : 'FAILED'}${short}`,
  )
  return ok
}

if (values.help) console.log(help)
else process.exitCode = (await main()) ? 0 : 1
