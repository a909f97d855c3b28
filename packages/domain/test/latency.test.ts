import fc from 'fast-check'
import { expect, test } from 'vitest'
import { latencyBoundsMs, latencyClass, latencyPercentile } from '../src/index.ts'

test.each([
  [0, 0],
  [5, 0],
  [5.1, 1],
  [100, 4],
  [10_000, 10],
  [10_001, 11],
])('an answer after %d ms is in class %d', (ms, index) => {
  expect(latencyClass(ms)).toBe(index)
})

test.each<[string, number[], number, number | null]>([
  ['none', [0, 0, 0], 0.5, null],
  ['all in one class: its middle', [0, 0, 10], 0.5, 15],
  ['half and half: the end of the first', [10, 10], 0.5, 5],
  ['the slowest of a few', [98, 0, 0, 0, 2], 0.99, 75],
  ['longer than any bound', [...latencyBoundsMs.map(() => 0), 3], 0.5, 10_000],
])('%s', (_name, counts, share, expected) => {
  expect(latencyPercentile(counts, share)).toBe(expected)
})

test('a percentile never lies outside the class that the true one is in', () => {
  const answers = fc.array(fc.double({ min: 0, max: 20_000, noNaN: true }), { minLength: 1 })
  fc.assert(
    fc.property(answers, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (times, share) => {
      const counts = [...latencyBoundsMs, 0].map(() => 0)
      for (const ms of times) counts[latencyClass(ms)] = (counts[latencyClass(ms)] ?? 0) + 1
      const index = Math.max(0, Math.ceil(share * times.length) - 1)
      const truth = times.toSorted((a, b) => a - b)[index] ?? 0
      const found = latencyPercentile(counts, share) ?? 0
      expect(latencyBoundsMs[latencyClass(truth) - 1] ?? 0).toBeLessThanOrEqual(found)
      expect(found).toBeLessThanOrEqual(latencyBoundsMs[latencyClass(truth)] ?? 10_000)
    }),
  )
})
