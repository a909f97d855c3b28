import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createSlices } from '../src/delivery/render-slices.ts'

/** Slices on a clock that each rendering moves on. */
function sliced() {
  let time = 0
  const done: string[] = []
  const slices = createSlices({ budgetMs: 10, pauseMs: 1, now: () => time })
  const render = (name: string, ms: number, workspaceNo = 1, isUrgent = false) =>
    slices.run({ isUrgent, workspaceNo }, () => {
      time += ms
      done.push(name)
    })
  return { done, render }
}

test('cheap renderings run at once', () => {
  const { done, render } = sliced()
  for (let n = 0; n < 100; n += 1) render(`${n}`, 0.05)
  expect(done).toHaveLength(100)
})

test('costly renderings let others have their turn between slices', async () => {
  const { done, render } = sliced()
  for (let n = 0; n < 6; n += 1) render(`${n}`, 5)
  expect(done).toEqual(['0', '1'])
  await expect.poll(() => done, { interval: 1 }).toEqual(['0', '1', '2', '3', '4', '5'])
})

test('named people come before broadcasts, and workspaces in turn', async () => {
  const { done, render } = sliced()
  render('first', 20)
  for (const n of [1, 2, 3]) render(`bulk of one, ${n}`, 20, 1)
  render('bulk of two', 20, 2)
  for (const n of [1, 2]) render(`urgent of one, ${n}`, 20, 1, true)
  render('urgent of three', 20, 3, true)
  await expect.poll(() => done.length, { interval: 1 }).toBe(8)
  expect(done).toEqual([
    'first',
    'urgent of one, 1',
    'urgent of three',
    'urgent of one, 2',
    'bulk of one, 1',
    'bulk of two',
    'bulk of one, 2',
    'bulk of one, 3',
  ])
})

test('what a turn of the event loop spent is forgotten in the next', async () => {
  const { done, render } = sliced()
  for (let n = 0; n < 5; n += 1) {
    render(`${n}`, 9)
    await sleep(1)
  }
  expect(done).toHaveLength(5)
})
