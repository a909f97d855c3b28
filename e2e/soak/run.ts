import { setTimeout as wait } from 'node:timers/promises'
import { type Database, inTransaction } from '@pushkeep/store'
import { createRandom, type Random } from '../random.ts'
import { type Figure, figure } from './figures.ts'
import { growthOf } from './growth.ts'
import { createMessages } from './messages.ts'
import { startPace } from './pace.ts'
import { type Phone, Phones } from './phones.ts'
import { followUsage } from './processes.ts'
import { reckon } from './reckoning.ts'
import { createRegistrations } from './registrations.ts'
import { type Sample, takeSample } from './sample.ts'
import type { Scene } from './scene.ts'
import { startTrouble } from './trouble.ts'
import { createWatch, type Watch } from './watch.ts'

export interface SoakOptions {
  scene: Scene
  minutes: number
  devices: number
  /** Share of the usual load. */
  load: number
  seed: string
  onSample: (sample: Sample) => void
  /** Ends the load early; what was done is still reckoned up. */
  signal: AbortSignal
}

export interface SoakResult {
  figures: Figure[]
  /** What was met and should not have been, in words. */
  surprises: string[]
}

export const registrationsPerSecond = 200
export const messagesPerSecond = 50
/** Requests and transactions that do nothing: what they take longer is the machine's doing. */
const barePerSecond = 10
const broadcastEveryMs = 120_000
const atOnceMax = 300
/** Requests left out since too many were under way: the load was not what it is said to be. */
const lateShareMax = 0.05

/** Puts a steady load on an installation, watches it, and reckons up in the end. */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const { scene, seed } = options
  const random = createRandom(seed)
  const phones = new Phones(options.devices, createRandom(seed, 'phones'))
  const watch = createWatch()
  const registrations = createRegistrations(scene.registry, phones, random, watch)
  await enrol(phones.all, registrations.enrol)
  watch.take()

  const load = startLoad({ ...options, phones, watch, random, act: registrations.act })
  const usage = followUsage(scene.pids)
  const began = performance.now()
  const minutesSince = () => (performance.now() - began) / 60_000
  const samples = await watchFor(options, () => takeSample(scene, watch, usage, minutesSince()))
  const minutes = minutesSince()
  usage.stop()
  await load.stop()
  const planned = minutes * 60 * options.load * (registrationsPerSecond + messagesPerSecond)
  const figures = [
    ...growthOf(samples, minutes),
    figure('load left out, share', watch.late / planned, '', lateShareMax),
    ...(await reckon(scene, watch, phones, random)),
  ]
  return { figures, surprises: [...watch.surprises.first, ...scene.news.slice(0, 10)] }
}

interface Load {
  scene: Scene
  load: number
  seed: string
  phones: Phones
  watch: Watch
  random: Random
  /** One act of an app. */
  act: () => Promise<void>
}

function startLoad({ scene, load, seed, phones, watch, random, act }: Load) {
  const onError = (error: unknown) =>
    watch.unexpected(error instanceof Error ? error.message : 'an unknown error')
  const pace = (perSecond: number, work: () => Promise<void>) =>
    startPace({ perSecond, atOnceMax, work, onError, onLate: watch.leftOut })
  const messages = createMessages(scene.sender, phones, random, watch)
  const trouble = startTrouble(scene, phones, createRandom(seed, 'trouble'), onError)
  const paces = [
    pace(load * registrationsPerSecond, act),
    pace(load * messagesPerSecond, messages.one),
    pace(barePerSecond, async () => {
      watch.bare((await scene.sender.call('GET', '/health/live')).ms)
    }),
    pace(barePerSecond, async () => watch.transaction(await emptyTransaction(scene.database))),
    startBroadcasts(messages.broadcast, onError),
  ]
  return {
    async stop() {
      await trouble.stop()
      await Promise.all(paces.map((one) => one.stop()))
    },
  }
}

/** As many statements as registering has, in ms. */
async function emptyTransaction(database: Database): Promise<number> {
  const began = performance.now()
  await inTransaction(database, async (sql) => {
    await sql.query('select 1')
    await sql.query('select 1')
  })
  return performance.now() - began
}

/** Takes samples until the time is over. */
async function watchFor(
  { minutes, signal, onSample }: SoakOptions,
  take: () => Promise<Sample>,
): Promise<Sample[]> {
  const everyMs = Math.min(30_000, (minutes * 60_000) / 4)
  const rounds = Math.round((minutes * 60_000) / everyMs)
  const samples: Sample[] = []
  const began = performance.now()
  for (let round = 1; round <= rounds && !signal.aborted; round += 1) {
    const due = began + round * everyMs - performance.now()
    await wait(Math.max(0, due), null, { signal }).catch(() => {})
    const sample = await take()
    samples.push(sample)
    onSample(sample)
  }
  return samples
}

/** The first soon after the start, so that also a short run has one. */
function startBroadcasts(broadcast: () => Promise<void>, onError: (error: unknown) => void) {
  const running = new Set<Promise<void>>()
  const start = () => {
    const one = broadcast()
      .catch(onError)
      .finally(() => running.delete(one))
    running.add(one)
  }
  const first = setTimeout(start, 10_000)
  const timer = setInterval(start, broadcastEveryMs)
  return {
    async stop() {
      clearTimeout(first)
      clearInterval(timer)
      await Promise.all(running)
    },
  }
}

async function enrol(phones: readonly Phone[], register: (phone: Phone) => Promise<void>) {
  const waiting = phones.values()
  const lane = async () => {
    for (const phone of waiting) await register(phone)
  }
  await Promise.all(Array.from({ length: 16 }, lane))
}
