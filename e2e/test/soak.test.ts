import { describe, expect, test } from 'vitest'
import { growthOf } from '../soak/growth.ts'
import type { Sample } from '../soak/sample.ts'
import { median, slopePerMinute } from '../soak/trend.ts'

const latency = { count: 100, p50: 10, p99: 20 }

function sample(minute: number, change: Partial<Sample> = {}): Sample {
  return {
    minute,
    processes: { registry: { rssMb: 150, handles: 40 } },
    redis: { keys: 50, mb: 3 },
    tables: { outbox: { live: 10, dead: 500, mb: 1 } },
    backlog: { chunks: 3, doorbells: 1, lagSeconds: 0.1 },
    latency: {
      bare: latency,
      transaction: latency,
      register: latency,
      accept: latency,
      recorded: latency,
      broadcastMs: [],
    },
    messages: 1000,
    ...change,
  }
}

/** Ten minutes, a sample each half of one. */
function samples(changeAt: (minute: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: 20 }, (_, index) => {
    const minute = (index + 1) / 2
    return sample(minute, changeAt(minute))
  })
}

const notOk = (all: Sample[]) =>
  growthOf(all, 10)
    .filter(({ ok }) => ok === false)
    .map(({ figure }) => figure)

describe('what grows is found', () => {
  const process = (rssMb: number, handles: number) => ({
    processes: { registry: { rssMb, handles } },
  })
  test('nothing where nothing grows', () => {
    expect(notOk(samples(() => ({})))).toEqual([])
  })
  test('not the warm-up, nor a single jump and back', () => {
    expect(notOk(samples((minute) => process(minute < 3 ? minute * 40 : 130, 40)))).toEqual([])
    expect(notOk(samples((minute) => process(minute === 7 ? 400 : 130, 40)))).toEqual([])
  })
  test('memory by 2 MB a minute, under noise', () => {
    const noisy = (minute: number) => 130 + 2 * minute + (Math.round(minute * 2) % 2) * 3
    expect(notOk(samples((minute) => process(noisy(minute), 40)))).toEqual([
      'registry: growth of memory',
    ])
  })
  test('two handles a minute', () => {
    const found = notOk(samples((minute) => process(130, 40 + 2 * minute)))
    expect(found).toEqual(['registry: growth of handles'])
  })
  test('keys, dead rows, a waiting doorbell', () => {
    const found = notOk(
      samples((minute) => ({
        redis: { keys: 600 * minute, mb: 3 },
        tables: { outbox: { live: 10, dead: 20_000 * minute, mb: 10 * minute } },
        backlog: { chunks: 3, doorbells: 9, lagSeconds: 12 },
      })),
    )
    expect(found).toEqual([
      'Redis: most keys',
      'Redis: growth of keys',
      'outbox: most dead rows of those allowed',
      'outbox: growth of the table',
      'longest wait of a doorbell',
    ])
  })
  test('latency that rises, unless the machine became as slow', () => {
    const slower = (minute: number) => ({ ...latency, p50: minute > 7 ? 40 : 10 })
    const rising = samples((minute) => ({
      latency: { ...sample(0).latency, register: slower(minute) },
    }))
    expect(notOk(rising)).toEqual(['registering, p50: last third over first'])
    const allSlower = samples((minute) => ({
      latency: { ...sample(0).latency, register: slower(minute), bare: slower(minute) },
    }))
    expect(notOk(allSlower)).toEqual([])
  })
  test('a minute is too short to tell', () => {
    const figures = growthOf([sample(0.25), sample(0.5), sample(0.75), sample(1)], 1)
    expect(figures.map(({ ok }) => ok)).toEqual(figures.map(() => null))
  })
})

test('the slope is that of most pairs', () => {
  const line = (minute: number) => ({ minute, value: 5 + 3 * minute })
  const points = [0, 1, 2, 3, 4, 5].map(line)
  expect(slopePerMinute(points)).toBeCloseTo(3)
  expect(slopePerMinute([...points, { minute: 6, value: 900 }])).toBeCloseTo(3)
  expect(median([4, 1, 3, 2])).toBe(2.5)
})
