import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  fullBucket,
  isOpen,
  levelOf,
  parseRate,
  secondsUntilOpen,
  windowSeconds,
} from '../src/token-bucket.ts'

const rate = { perSecond: 2, burst: 10 }

test.each([
  { level: 10, afterMs: 0, now: 10 },
  { level: 10, afterMs: 60_000, now: 10 },
  { level: 0, afterMs: 500, now: 1 },
  { level: 0, afterMs: 499, now: 0.998 },
  { level: -4, afterMs: 2000, now: 0 },
  { level: -4, afterMs: 2500, now: 1 },
  { level: 3, afterMs: -1000, now: 3 },
])('a bucket of $level is at $now after $afterMs ms', ({ level, afterMs, now }) => {
  expect(levelOf({ level, at: 5000 }, rate, 5000 + afterMs)).toBeCloseTo(now)
})

test.each([
  { level: 1, open: true },
  { level: 0.99, open: false },
  { level: -3, open: false },
])('a level of $level lets a call pass: $open', ({ level, open }) => {
  expect(isOpen(level)).toBe(open)
})

test.each([
  { level: 0, seconds: 1 },
  { level: 0.9, seconds: 1 },
  { level: -5, seconds: 3 },
])('a bucket of $level opens within $seconds s', ({ level, seconds }) => {
  expect(secondsUntilOpen(level, rate)).toBe(seconds)
})

test('the window of a policy is the time that an empty bucket takes to be full', () => {
  expect(windowSeconds(rate)).toBe(5)
  expect(windowSeconds({ perSecond: 1000, burst: 1 })).toBe(1)
})

test.each([
  ['100/s burst 1000', { perSecond: 100, burst: 1000 }],
  ['10/m', { perSecond: 10 / 60, burst: 10 }],
  ['5000/d', { perSecond: 5000 / 86_400, burst: 5000 }],
  ['0.5/s burst 3', { perSecond: 0.5, burst: 3 }],
  ['0', null],
  ['0/s', undefined],
  ['0.5/s', undefined],
  ['1/s burst 0', undefined],
  ['100', undefined],
  ['100/w', undefined],
  ['-1/s', undefined],
  ['', undefined],
  ['1/s burst', undefined],
  ['1/constructor', undefined],
])('%s is read', (text, expected) => {
  expect(parseRate(text)).toEqual(expected)
})

test('over any time no more passes than the burst, what came back, and the last batch', () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 3000 }),
    cost: fc.integer({ min: 1, max: 50 }),
  })
  const rates = fc.record({
    perSecond: fc.double({ min: 0.1, max: 100, noNaN: true }),
    burst: fc.integer({ min: 1, max: 200 }),
  })
  fc.assert(
    fc.property(rates, fc.array(step, { maxLength: 100 }), (given, steps) => {
      let bucket = fullBucket(given, 0)
      let now = 0
      let passed = 0
      let last = 0
      for (const { waitMs, cost } of steps) {
        now += waitMs
        const level = levelOf(bucket, given, now)
        if (!isOpen(level)) continue
        bucket = { level: level - cost, at: now }
        passed += cost
        last = cost
      }
      expect(passed).toBeLessThanOrEqual(given.burst + (now / 1000) * given.perSecond + last + 1e-6)
    }),
  )
})

test('a bucket that refuses is open after the time that it names', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -1000, max: 0.999, noNaN: true }),
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 1000 }),
      (level, perSecond, burst) => {
        const given = { perSecond, burst }
        const seconds = secondsUntilOpen(level, given)
        expect(isOpen(levelOf({ level, at: 0 }, given, seconds * 1000) + 1e-9)).toBe(true)
      },
    ),
  )
})
