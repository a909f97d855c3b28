import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createSlices } from '../src/delivery/render-slices.ts'

interface Place {
  workspaceNo?: number
  isUrgent?: boolean
}

/** Slices on a clock that each rendering moves on; `isFelt`: urgent pushes go out. */
function sliced({ isFelt = false, waitMaxMs = 60_000 } = {}) {
  let renderedMs = 0
  const now = () => performance.now() + renderedMs
  const done: { name: string; at: number }[] = []
  const overdue: string[] = []
  const slices = createSlices({
    ...{ budgetMs: 10, pauseMs: 1, waitMaxMs, now },
    urgency: { isFelt: () => isFelt },
  })
  return {
    slices,
    overdue,
    spend: (name: string, ms: number, result: () => 'done' | 'again') => ({
      render() {
        renderedMs += ms
        done.push({ name, at: now() })
        return result()
      },
      overdue: () => overdue.push(name),
    }),
    names: () => done.map(({ name }) => name),
    atOf: (name: string) => done.find((one) => one.name === name)?.at ?? Number.NaN,
    render(name: string, ms: number, { workspaceNo = 1, isUrgent = false }: Place = {}) {
      const render = () => {
        renderedMs += ms
        done.push({ name, at: now() })
        return 'done' as const
      }
      slices.run({ isUrgent, workspaceNo }, { render, overdue: () => overdue.push(name) })
    },
  }
}

test('cheap renderings run at once', () => {
  const { names, render } = sliced()
  for (let n = 0; n < 100; n += 1) render(`${n}`, 0.05)
  expect(names()).toHaveLength(100)
})

test('one that ran out of time waits for another slice, first of its workspace', async () => {
  const { slices, names, atOf, render, spend } = sliced()
  let tries = 0
  const late = () => {
    tries += 1
    return tries === 1 ? ('again' as const) : ('done' as const)
  }
  slices.run({ isUrgent: false, workspaceNo: 1 }, spend('late', 25, late))
  expect(tries).toBe(1)
  render('behind it', 1)
  render('of two', 1, { workspaceNo: 2 })
  await expect.poll(names, { interval: 1 }).toHaveLength(4)
  expect(names()).toEqual(['late', 'of two', 'late', 'behind it'])
  expect(tries).toBe(2)
  expect(atOf('behind it')).toBeGreaterThanOrEqual(atOf('of two'))
})

test('also where it took less than a slice', async () => {
  const { slices, names, spend } = sliced()
  const results = ['again', 'again', 'done'] as const
  let tries = 0
  const late = () => results[tries++] ?? 'done'
  slices.run({ isUrgent: true, workspaceNo: 1 }, spend('late', 1, late))
  expect(tries).toBe(1)
  await expect.poll(names, { interval: 1 }).toEqual(['late', 'late', 'late'])
})

test('one that runs out of time over and over is overdue in the end', async () => {
  const { slices, overdue, spend } = sliced({ waitMaxMs: 100 })
  slices.run(
    { isUrgent: false, workspaceNo: 1 },
    spend('late', 30, () => 'again'),
  )
  await expect.poll(() => overdue, { interval: 1 }).toEqual(['late'])
})

test('costly renderings let others have their turn between slices', async () => {
  const { names, render } = sliced()
  for (let n = 0; n < 6; n += 1) render(`${n}`, 5)
  expect(names()).toEqual(['0', '1'])
  await expect.poll(names, { interval: 1 }).toEqual(['0', '1', '2', '3', '4', '5'])
})

test.each([
  { isFelt: false, rest: 2 * 25 },
  { isFelt: true, rest: 2 * 10 + 9 * 15 },
])('a workspace rests in proportion to what it took: $rest ms', async ({ isFelt, rest }) => {
  const { names, atOf, render } = sliced({ isFelt })
  render('first', 25)
  render('second', 25)
  await expect.poll(names, { interval: 1 }).toHaveLength(2)
  // A timer may be early by part of a millisecond.
  expect(atOf('second') - atOf('first') - 25).toBeGreaterThanOrEqual(rest - 1)
})

test("one workspace's rest holds back neither its named people nor another workspace", async () => {
  const { names, render } = sliced({ isFelt: true })
  render('first', 100)
  render('second', 1)
  render('urgent', 1, { isUrgent: true })
  render('of two', 1, { workspaceNo: 2 })
  await expect.poll(names, { interval: 1 }).toHaveLength(4)
  expect(names()).toEqual(['first', 'urgent', 'of two', 'second'])
})

test('named people come before broadcasts, and workspaces in turn', async () => {
  const { names, render } = sliced()
  render('first', 20, { workspaceNo: 9 })
  for (const n of [1, 2]) render(`bulk of one, ${n}`, 4, { workspaceNo: 1 })
  render('bulk of two', 4, { workspaceNo: 2 })
  for (const n of [1, 2]) render(`urgent of one, ${n}`, 1, { workspaceNo: 1, isUrgent: true })
  render('urgent of three', 1, { workspaceNo: 3, isUrgent: true })
  await expect.poll(names, { interval: 1 }).toHaveLength(7)
  expect(names()).toEqual([
    'first',
    'urgent of one, 1',
    'urgent of three',
    'urgent of one, 2',
    'bulk of one, 1',
    'bulk of two',
    'bulk of one, 2',
  ])
})

test('a rendering that has waited too long is overdue, and those that follow have their turn', async () => {
  const { names, overdue, render } = sliced({ waitMaxMs: 50 })
  render('first', 40)
  render('late', 1)
  await expect.poll(() => overdue, { interval: 1 }).toEqual(['late'])
  render('later', 1)
  await expect.poll(names, { interval: 1 }).toEqual(['first', 'later'])
})

test('room is for as many as have their turn soon, by what the latest took', async () => {
  const { slices, names, render } = sliced({ waitMaxMs: 1000 })
  const fresh = slices.room(1)
  expect(fresh).toBeGreaterThanOrEqual(1)
  expect(fresh).toBeLessThan(20)
  for (let n = 0; n < 50; n += 1) render(`cheap ${n}`, 0.01)
  expect(slices.room(1)).toBeGreaterThan(1000)
  for (let n = 0; n < 6; n += 1) render(`costly ${n}`, 50, { workspaceNo: 2 })
  expect(slices.room(2)).toBe(0)
  expect(slices.room(1)).toBeGreaterThan(1000)
  await expect.poll(names, { interval: 10, timeout: 5000 }).toHaveLength(56)
  expect(slices.room(2)).toBe(2)
})

test('what a turn of the event loop spent is forgotten in the next', async () => {
  const { names, render } = sliced()
  for (let n = 0; n < 5; n += 1) {
    render(`${n}`, 9, { workspaceNo: n })
    await sleep(1)
  }
  expect(names()).toHaveLength(5)
})
