import { expect, test } from 'vitest'
import { CoalescerFullError, coalesce } from '../src/coalesce.ts'

/** A coalescer whose runs end when the test says so. */
function held({ waitingMax = 100, sizeMax = 100 } = {}) {
  const runs: { items: number[]; end: () => void }[] = []
  const call = coalesce<number, number>({
    run: (items) =>
      new Promise((resolve) => {
        runs.push({ items, end: () => resolve(items.map((n) => -n)) })
      }),
    sizeMax,
    runsMax: 2,
    waitingMax,
  })
  return { call, runs, sizes: () => runs.map(({ items }) => items.length) }
}

/** Lets everything run that waits for nothing. */
async function turn() {
  for (let n = 0; n < 5; n += 1) await new Promise((resolve) => setImmediate(resolve))
}

test('a lone call runs at once, one more beside it, and those that come then go together', async () => {
  const { call, runs, sizes } = held()
  const first = call(1)
  await turn()
  const second = call(2)
  await turn()
  const others = [call(3), call(4), call(5)]
  await turn()
  expect(sizes()).toEqual([1, 1])
  runs[1]?.end()
  expect(await second).toBe(-2)
  await turn()
  expect(sizes()).toEqual([1, 1, 3])
  for (const { end } of runs) end()
  expect(await Promise.all([first, ...others])).toEqual([-1, -3, -4, -5])
})

test('calls that are more than a run holds go in several', async () => {
  const { call, runs, sizes } = held({ sizeMax: 2 })
  const calls = [1, 2, 3, 4, 5].map(call)
  await turn()
  expect(sizes()).toEqual([2, 2])
  runs[0]?.end()
  runs[1]?.end()
  await turn()
  expect(sizes()).toEqual([2, 2, 1])
  runs[2]?.end()
  expect(await Promise.all(calls)).toEqual([-1, -2, -3, -4, -5])
})

test('a run that fails is divided, so that a bad item fails alone', async () => {
  const call = coalesce<number, number>({
    run: async (items) => {
      if (items.includes(3)) throw new Error('three')
      return items.map((n) => -n)
    },
    sizeMax: 100,
    runsMax: 2,
    waitingMax: 100,
  })
  const settled = await Promise.allSettled([1, 2, 3, 4].map(call))
  const kinds = settled.map(({ status }) => status)
  expect(kinds).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
})

test('one call more than may wait is refused', async () => {
  const { call, runs } = held({ waitingMax: 2 })
  const waiting = [call(1), call(2)]
  await expect(call(3)).rejects.toThrow(CoalescerFullError)
  await turn()
  runs[0]?.end()
  expect(await Promise.all(waiting)).toEqual([-1, -2])
})
