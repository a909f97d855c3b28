import { type Figure, figure } from './figures.ts'
import type { Sample } from './sample.ts'
import { notJudged } from './scene.ts'
import { floorOf, median, type Point, slopePerMinute } from './trend.ts'

/** A process that has just begun grows: its code is compiled, its pools and caches are filled. */
const warmUpShare = 0.35
const warmUpMinutesMin = 2
/** Fewer samples after the warm-up prove nothing. */
const samplesMin = 6

/** Within so many minutes each process has collected its garbage, and met a broadcast. */
const gcMinutes = 2

/** Dead rows that autovacuum may leave between two of its rounds, a minute apart. */
const deadRowsMax = 50_000
/** Queues keep what is under way, and what failed last. */
const keysMax = 5000

/** What grew and what did not, from the samples of a run of so many minutes. */
export function growthOf(samples: readonly Sample[], minutes: number): Figure[] {
  const warmUp = Math.max(warmUpMinutesMin, minutes * warmUpShare)
  const steady = samples.filter(({ minute }) => minute > warmUp)
  const isEnough = steady.length >= samplesMin
  const judged = isEnough ? steady : samples
  const figures = [
    ...processFigures(judged),
    ...redisFigures(judged),
    ...tableFigures(judged),
    ...latencyFigures(judged),
  ]
  return isEnough ? figures : figures.map((one) => ({ ...one, ok: null }))
}

function series(samples: readonly Sample[], read: (sample: Sample) => number | undefined): Point[] {
  return samples.flatMap((sample) => {
    const value = read(sample)
    return value === undefined ? [] : [{ minute: sample.minute, value }]
  })
}

function processFigures(samples: readonly Sample[]): Figure[] {
  const names = Object.keys(samples[0]?.processes ?? {}).filter((name) => !notJudged.has(name))
  return names.flatMap((name) => {
    const memory = series(samples, ({ processes }) => processes[name]?.rssMb)
    const handles = series(samples, ({ processes }) => processes[name]?.handles)
    return [
      figure(`${name}: growth of memory`, slopePerMinute(floorOf(memory, gcMinutes)), 'MB/min', 1),
      figure(`${name}: growth of handles`, slopePerMinute(handles), '1/min', 1),
    ]
  })
}

function redisFigures(samples: readonly Sample[]): Figure[] {
  const keys = series(samples, ({ redis }) => redis?.keys)
  if (keys.length === 0) return []
  return [
    figure('Redis: most keys', Math.max(...keys.map(({ value }) => value)), '', keysMax),
    figure('Redis: growth of keys', slopePerMinute(keys), '1/min', 10),
  ]
}

function tableFigures(samples: readonly Sample[]): Figure[] {
  const names = Object.keys(samples.at(-1)?.tables ?? {})
  // A table may have as many dead rows as live ones, where it is a large one.
  const bloat = names.map((name) => {
    const shares = samples.map(({ tables }) => {
      const { dead = 0, live = 0 } = tables[name] ?? {}
      return dead / Math.max(live, deadRowsMax)
    })
    return figure(`${name}: most dead rows of those allowed`, Math.max(...shares), '', 1)
  })
  // What is written and deleted again must not leave a file that grows for ever.
  const passing = ['outbox', 'queues'].filter((name) => names.includes(name))
  const sizes = passing.map((name) => {
    const points = series(samples, ({ tables }) => tables[name]?.mb)
    return figure(`${name}: growth of the table`, slopePerMinute(points), 'MB/min', 1)
  })
  const lag = Math.max(...samples.map(({ backlog }) => backlog.lagSeconds))
  return [...bloat, ...sizes, figure('longest wait of a doorbell', lag, 's', 10)]
}

function latencyFigures(samples: readonly Sample[]): Figure[] {
  const machine = Math.max(
    riseOf(samples.map(({ latency }) => latency.bare.p50)),
    riseOf(samples.map(({ latency }) => latency.transaction.p50)),
  )
  const rise = (name: string, read: (sample: Sample) => number) => {
    // A machine that has become slower is not held against us.
    const own = riseOf(samples.map(read)) / Math.max(1, machine)
    return figure(`${name}: last third over first`, own, '', 1.5)
  }
  return [
    rise('registering, p50', ({ latency }) => latency.register.p50),
    rise('accepting, p50', ({ latency }) => latency.accept.p50),
    rise('accepted to recorded, p50', ({ latency }) => latency.recorded.p50),
  ]
}

/** Below so many ms a difference tells nothing. */
const noiseMs = 2

function riseOf(values: readonly number[]): number {
  const third = Math.max(1, Math.floor(values.length / 3))
  const first = median(values.slice(0, third))
  const last = median(values.slice(-third))
  return Math.max(last, noiseMs) / Math.max(first, noiseMs)
}
