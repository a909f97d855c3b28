import { expect, test } from 'vitest'
import { Pace } from '../src/pace.ts'

/** A peer by numbers: it answers after a time, and takes requests one by one at a rate. */
interface Peer {
  answerMs: number
  perSecond: number
}

/** Keeps a peer as busy as the pace allows, from `fromMs` to `toMs`; what was reached at the end. */
function drive(pace: Pace, peer: Peer, fromMs: number, toMs: number, wanted = Infinity) {
  const under: { at: number; writtenAt: number }[] = []
  let now = fromMs
  let isFreeAt = fromMs
  let answered = 0
  const countFrom = toMs - 1000
  while (now < toMs) {
    while (under.length < Math.min(pace.limit, wanted)) {
      isFreeAt = Math.max(isFreeAt, now) + 1000 / peer.perSecond
      under.push({ at: isFreeAt + peer.answerMs, writtenAt: now })
    }
    const next = under[0]
    if (!next) break
    now = Math.max(now, next.at)
    pace.answered(now - next.writtenAt, under.length, 8000, now)
    under.shift()
    if (now >= countFrom) answered += 1
  }
  return { perSecond: answered / ((now - countFrom) / 1000), limit: pace.limit }
}

const least = 64

test.each([
  [20, 10_000],
  [50, 12_000],
  [200, 15_000],
])(
  'answers of %i ms reach a rate of %i/s, with little more in flight than that takes',
  (answerMs, perSecond) => {
    const reached = drive(new Pace({ inFlightMin: least }), { answerMs, perSecond }, 0, 9000)
    const needed = (perSecond * answerMs) / 1000
    expect(reached.perSecond).toBeGreaterThan(perSecond * 0.95)
    expect(reached.limit).toBeLessThan(needed * 1.5 + perSecond * 0.01)
  },
)

test('slow answers are met within three seconds', () => {
  const reached = drive(
    new Pace({ inFlightMin: least }),
    { answerMs: 200, perSecond: 15_000 },
    0,
    3000,
  )
  expect(reached.perSecond).toBeGreaterThan(12_000)
})

test('a peer that answers at once is not sent more at a time than saves anything', () => {
  const reached = drive(
    new Pace({ inFlightMin: least }),
    { answerMs: 0.5, perSecond: 10_000 },
    0,
    9000,
  )
  expect(reached.perSecond).toBeGreaterThan(9500)
  expect(reached.limit).toBeLessThan(least * 1.5)
})

test('a queue that always stands is not taken for the answer time', () => {
  const pace = new Pace({ inFlightMin: least })
  const reached = drive(pace, { answerMs: 20, perSecond: 5000 }, 0, 120_000)
  expect(reached.perSecond).toBeGreaterThan(4000)
  expect(reached.limit).toBeLessThan(250)
})

test('a peer that becomes slower, and faster again, is followed', () => {
  const pace = new Pace({ inFlightMin: least })
  drive(pace, { answerMs: 20, perSecond: 10_000 }, 0, 9000)
  const slower = drive(pace, { answerMs: 150, perSecond: 10_000 }, 9000, 40_000)
  expect(slower.perSecond).toBeGreaterThan(9000)
  const faster = drive(pace, { answerMs: 20, perSecond: 10_000 }, 40_000, 70_000)
  expect(faster.perSecond).toBeGreaterThan(9000)
  expect(faster.limit).toBeLessThan(450)
})

test('it does not grow beyond what was tried', () => {
  const pace = new Pace({ inFlightMin: least })
  expect(drive(pace, { answerMs: 50, perSecond: 10_000 }, 0, 9000, 10).limit).toBe(least)
})
