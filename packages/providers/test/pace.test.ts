import { expect, test } from 'vitest'
import { Pace } from '../src/pace.ts'
import { Urgency } from '../src/urgency.ts'

/** A peer by numbers: it answers after a time, and takes requests one by one at a rate. */
interface Peer {
  answerMs: number
  perSecond: number
}

/**
 * Keeps a peer as busy as the pace allows, from `fromMs` to `toMs`: the rate of the last second, and the
 * limit on average of the last three, since it swings.
 */
function drive(pace: Pace, peer: Peer, fromMs: number, toMs: number, wanted = Infinity) {
  const under: { at: number; writtenAt: number }[] = []
  let now = fromMs
  let isFreeAt = fromMs
  let lookAt = fromMs + 25
  let answered = 0
  const countFrom = toMs - 1000
  const limits = { sum: 0, count: 0 }
  while (now < toMs) {
    while (under.length < Math.min(pace.limit, wanted)) {
      pace.requested(now, under.length)
      isFreeAt = Math.max(isFreeAt, now) + 1000 / peer.perSecond
      under.push({ at: isFreeAt + peer.answerMs, writtenAt: now })
    }
    const next = under[0]
    if (!next) break
    // (As the pool does, which looks at what waits every 25 ms.)
    if (lookAt < next.at) {
      now = lookAt
      lookAt += 25
      if (under.length < wanted) pace.waited(under.length)
      continue
    }
    now = Math.max(now, next.at)
    pace.answered(now - next.writtenAt, under.length, 8000, now)
    under.shift()
    if (now >= countFrom) answered += 1
    if (now >= toMs - 3000) {
      limits.sum += pace.limit
      limits.count += 1
    }
  }
  return { perSecond: answered / ((now - countFrom) / 1000), limit: limits.sum / limits.count }
}

const least = 64
const newPace = () => new Pace({ inFlightMin: least, inFlightStart: 2 })

test.each([
  [20, 10_000],
  [50, 12_000],
  [200, 15_000],
])(
  'answers of %i ms reach a rate of %i/s, with little more in flight than that takes',
  (answerMs, perSecond) => {
    const reached = drive(newPace(), { answerMs, perSecond }, 0, 9000)
    const needed = (perSecond * answerMs) / 1000
    expect(reached.perSecond).toBeGreaterThan(perSecond * 0.95)
    expect(reached.limit).toBeLessThan(needed * 1.5 + perSecond * 0.01)
  },
)

test('slow answers are met within three seconds', () => {
  const reached = drive(newPace(), { answerMs: 200, perSecond: 15_000 }, 0, 3000)
  expect(reached.perSecond).toBeGreaterThan(12_000)
})

test('a peer that answers at once is not sent more at a time than saves anything', () => {
  const reached = drive(newPace(), { answerMs: 0.5, perSecond: 10_000 }, 0, 9000)
  expect(reached.perSecond).toBeGreaterThan(9500)
  expect(reached.limit).toBeLessThan(least * 1.5)
})

test('a queue that always stands is not taken for the answer time', () => {
  const pace = newPace()
  const reached = drive(pace, { answerMs: 20, perSecond: 5000 }, 0, 120_000)
  expect(reached.perSecond).toBeGreaterThan(4000)
  expect(reached.limit).toBeLessThan(250)
})

test('a peer that becomes slower, and faster again, is followed', () => {
  const pace = newPace()
  drive(pace, { answerMs: 20, perSecond: 10_000 }, 0, 9000)
  const slower = drive(pace, { answerMs: 150, perSecond: 10_000 }, 9000, 40_000)
  expect(slower.perSecond).toBeGreaterThan(9000)
  const faster = drive(pace, { answerMs: 20, perSecond: 10_000 }, 40_000, 70_000)
  expect(faster.perSecond).toBeGreaterThan(9000)
  expect(faster.limit).toBeLessThan(450)
})

test('it does not grow beyond what was tried', () => {
  const pace = newPace()
  expect(drive(pace, { answerMs: 50, perSecond: 10_000 }, 0, 9000, 10).limit).toBe(least)
})

test('a burst begins small: after a pause, and until answers come', () => {
  const pace = newPace()
  pace.requested(0, 0)
  expect(pace.limit).toBe(2)
  for (let n = 0; n < 600; n += 1) pace.answered(50, 4, 8000, 10)
  expect(pace.limit).toBe(least)
  pace.requested(900, 0)
  expect(pace.limit).toBe(least)
  pace.requested(2000, 0)
  expect(pace.limit).toBe(2)
})

test('a peer that became slower during a pause is met as fast as a new one', () => {
  const pace = newPace()
  pace.requested(0, 0)
  drive(pace, { answerMs: 1, perSecond: 10_000 }, 0, 9000)
  pace.requested(9200, 0)
  const reached = drive(pace, { answerMs: 50, perSecond: 10_000 }, 9200, 12_000)
  expect(reached.perSecond).toBeGreaterThan(9000)
})

test('between two windows of a broadcast answers come out of a queue, and are not taken for quick ones', () => {
  const pace = newPace()
  pace.requested(0, 0)
  drive(pace, { answerMs: 20, perSecond: 2000 }, 0, 3000)
  for (let now = 3200; now < 8000; now += 200) {
    pace.requested(now, least)
    for (let n = 0; n < 200; n += 1) pace.answered(70, pace.limit, 8000, now + n)
  }
  expect(pace.limit).toBe(least)
})

test('first answers that were held up do not fill the connection', () => {
  const pace = newPace()
  pace.requested(0, 0)
  for (let n = 0; n < 8; n += 1) pace.answered(60, 2, 8000, 60)
  for (let n = 0; n < 12; n += 1) pace.answered(3, 3, 8000, 64)
  expect(pace.limit).toBeLessThanOrEqual(3)
})

test('what urgent requests met at rest tells a quick peer from a slow one', () => {
  const pace = newPace()
  pace.requested(0, 0)
  pace.answered(2, 1, 8000, 500)
  pace.requested(2000, 0)
  for (let n = 0; n < 16; n += 1) pace.answered(60, 4, 8000, 2060)
  expect(pace.limit).toBeLessThanOrEqual(6)
})

test('a peer that does not answer yet is met by more and more, up to the usual number', () => {
  const pace = newPace()
  pace.requested(0, 0)
  for (let n = 0; n < 10; n += 1) pace.waited(1)
  expect(pace.limit).toBe(2)
  for (let n = 0; n < 10; n += 1) pace.waited(pace.limit)
  expect(pace.limit).toBe(least)
})

test('a process that stood still for a moment does not take the peer for a slow one', () => {
  const pace = newPace()
  pace.requested(0, 0)
  for (let n = 0; n < 20; n += 1) {
    pace.waited(pace.limit)
    pace.answered(3, 2, 8000, n * 50)
  }
  expect(pace.limit).toBe(2)
})

test.each([2, 10])(
  'of a burst of a few hundred to a peer that answers after %i ms few are in flight, of a long one many',
  (ms) => {
    const pace = newPace()
    pace.requested(0, 0)
    const limitAfter = (answers: number) => {
      for (let n = 0; n < answers; n += 1) pace.answered(ms, pace.limit, 8000, 1000)
      return pace.limit
    }
    expect(limitAfter(160)).toBeLessThan(6)
    expect(limitAfter(160)).toBeLessThan(9)
    expect(limitAfter(4000)).toBeGreaterThanOrEqual(least)
  },
)

test('a peer that was quick at rest and is slow now is met as such after a hundred answers', () => {
  const pace = newPace()
  pace.requested(0, 0)
  pace.answered(2, 1, 8000, 500)
  const reached = drive(pace, { answerMs: 50, perSecond: 10_000 }, 2000, 7000)
  expect(reached.perSecond).toBeGreaterThan(9000)
})

test.each([
  ['quick', { answerMs: 1, perSecond: 8000 }],
  ['slow', { answerMs: 50, perSecond: 12_000 }],
])('an urgent request has others of a %s peer keep fewer in flight for a moment', (_, peer) => {
  const pace = newPace()
  drive(pace, peer, 0, 9000)
  const before = pace.limit
  expect(before).toBeGreaterThanOrEqual(least)
  pace.urgent(9000)
  expect(pace.limit).toBe(before - (least * 15) / 16)
  pace.requested(9100, pace.limit)
  expect(pace.limit).toBe(before - (least * 15) / 16)
  pace.requested(9250, pace.limit)
  expect(pace.limit).toBe(before)
})

test('an urgent request has others yield at every peer that shares the urgency, and at no other', () => {
  const urgency = new Urgency()
  const settings = { inFlightMin: least, inFlightStart: 2 }
  const [one, other] = [new Pace({ ...settings, urgency }), new Pace({ ...settings, urgency })]
  const apart = newPace()
  for (const pace of [one, other, apart]) drive(pace, { answerMs: 1, perSecond: 8000 }, 0, 9000)
  const before = other.limit
  one.urgent(9000)
  for (const pace of [other, apart]) pace.requested(9001, 1)
  expect(other.limit).toBe(before - (least * 15) / 16)
  expect(apart.limit).toBe(before)
  other.requested(9250, 1)
  expect(other.limit).toBe(before)
})

/** Meets an urgent request beside each of the others. */
class BesideUrgent extends Pace {
  override requested(now: number, inFlight: number): void {
    this.urgent(now)
    super.requested(now, inFlight)
  }
}

test.each([
  [20, 10_000],
  [50, 12_000],
  [200, 15_000],
])('beside urgent requests answers of %i ms reach 2,000/s and more', (answerMs, perSecond) => {
  const pace = new BesideUrgent({ inFlightMin: 48, inFlightStart: 2 })
  const reached = drive(pace, { answerMs, perSecond }, 0, 9000)
  expect(reached.perSecond).toBeGreaterThan(2000)
  expect(reached.perSecond).toBeLessThan(perSecond)
})

test('a burst that begins beside urgent requests has as many in flight as without', () => {
  const pace = newPace()
  pace.requested(0, 0)
  const alone = pace.limit
  pace.urgent(0)
  expect(alone).toBe(2)
  expect(pace.limit).toBe(alone)
})
