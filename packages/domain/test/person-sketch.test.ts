import { expect, test } from 'vitest'
import { peopleInSketch, sketchBits, sketchSlotOf } from '../src/index.ts'

function sketchOf(keys: Iterable<number>): string {
  const bits = new Array<string>(sketchBits).fill('0')
  for (const key of keys) bits[sketchSlotOf(key)] = '1'
  return bits.join('')
}

/** Numbers from one on, as a database gives them. */
const people = (count: number, first = 1) => Array.from({ length: count }, (_, n) => first + n)

test.each([0, 1, 2, 3, 5, 10, 20, 25])('of %i people it is right to one', (count) => {
  for (let run = 0; run < 200; run += 1) {
    const counted = peopleInSketch(sketchOf(people(count, 1 + run * 1000)))
    expect(Math.abs((counted ?? Number.NaN) - count)).toBeLessThanOrEqual(1 + count / 10)
  }
})

test.each([100, 500, 1000, 5000, 20_000, 100_000])(
  'of %i people it is right to a fifth',
  (count) => {
    for (const first of [1, 7_000_000, 2 ** 40]) {
      const counted = peopleInSketch(sketchOf(people(count, first))) ?? 0
      expect(counted / count).toBeGreaterThan(0.8)
      expect(counted / count).toBeLessThan(1.2)
    }
  },
)

test('a person who is named often is one', () => {
  expect(peopleInSketch(sketchOf(Array<number>(1000).fill(42)))).toBe(1)
})

test('devices without a person are apart from people of the same numbers', () => {
  const both = [...people(10), ...people(10).map((key) => -key)]
  expect(peopleInSketch(sketchOf(both))).toBeGreaterThanOrEqual(19)
})

test('a full sketch says that it cannot tell', () => {
  expect(peopleInSketch('1'.repeat(sketchBits))).toBeNull()
})

test('each slot is within the sketch', () => {
  for (const key of [0, 1, -1, 2 ** 31, 2 ** 32, -(2 ** 32), Number.MAX_SAFE_INTEGER]) {
    const slot = sketchSlotOf(key)
    expect(Number.isInteger(slot) && slot >= 0 && slot < sketchBits).toBe(true)
  }
})
