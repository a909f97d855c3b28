import type { Outcome } from '@pushkeep/domain'
import { expect, test } from 'vitest'
import { createLaneBreaker } from '../src/delivery/lane-breaker.ts'

const accepted: Outcome = { kind: 'accepted', environment: null }
const refusal = (afterMs: number | null = null) =>
  ({ kind: 'unavailable', reason: 'ServiceUnavailable', afterMs, mayHaveArrived: false }) as const
const unreachable: Outcome = { ...refusal(), isUnreachable: true }
const unknown: Outcome = { ...refusal(), mayHaveArrived: true }
const throttled = (scope: 'token' | 'credential'): Outcome => ({
  kind: 'throttled',
  reason: 'QUOTA_EXCEEDED',
  scope,
  afterMs: 30_000,
})

function scene() {
  let now = 50_000
  const breaker = createLaneBreaker({
    firstMs: 1000,
    capMs: 60_000,
    now: () => now,
    random: () => 1,
  })
  /** Sends a window: one push to each device. */
  function window(messageId: string, devices: readonly number[], outcome: Outcome) {
    const admission = breaker.enter(messageId)
    if (admission.kind === 'wait') return admission.ms
    for (const device of devices) breaker.answered(messageId, device, outcome)
    breaker.leave(messageId)
    return null
  }
  /** One-person messages, one to each of these devices. */
  function singles(devices: readonly number[], outcome: Outcome) {
    for (const device of devices) window(`to ${device}`, [device], outcome)
  }
  const held = () => breaker.heldBack().map(({ messageId }) => messageId)
  return { breaker, window, singles, held, pass: (ms: number) => (now += ms) }
}

const devices = (count: number, from = 1) => Array.from({ length: count }, (_, n) => from + n)

test.each([
  ['a 500', refusal()],
  ['a 503 that asks for ten minutes', refusal(600_000)],
  ['a 429 of the project', throttled('credential')],
  ['no answer', unknown],
])('%s to one token, however often, holds nobody else back', (_name, outcome) => {
  const { window, held } = scene()
  for (let n = 0; n < 200; n += 1) window(`message ${n}`, [7], outcome)
  expect(held()).toEqual([])
  expect(window('code', [8], accepted)).toBeNull()
})

test('nine tokens that are refused, in whatever number of messages, hold nobody else back', () => {
  const { window, held } = scene()
  for (let n = 0; n < 180; n += 1) window(`message ${n}`, [n % 9], refusal())
  expect(held()).toEqual([])
})

test.each([0.02, 0.2, 0.45])('a share of %d refused answers holds nothing back', (share) => {
  const { window, held } = scene()
  for (let n = 0; n < 2000; n += 1) {
    window(
      `message ${n}`,
      [n],
      Math.floor(n * share) < Math.floor((n + 1) * share) ? refusal() : accepted,
    )
  }
  expect(held()).toEqual([])
})

test('half of twenty answers of different tokens within ten seconds open it', () => {
  const { singles, held, window } = scene()
  singles(devices(10), accepted)
  singles(devices(9, 11), refusal())
  expect(held()).toEqual([])
  singles([20], refusal())
  expect(held()).toEqual([null])
  expect(window('code', [30], accepted)).toBe(1000)
})

test('answers that are older than ten seconds do not count', () => {
  const { singles, held, pass } = scene()
  singles(devices(19), refusal())
  pass(10_001)
  singles(devices(19, 100), refusal())
  expect(held()).toEqual([])
})

test('it stays open for as long as most answers ask, and closes with the first probe that is served', () => {
  const { singles, window, held, pass } = scene()
  singles(devices(20), refusal(60_000))
  expect(window('code', [30], accepted)).toBe(60_000)
  pass(60_000)
  expect(window('code', [30], accepted)).toBeNull()
  expect(held()).toEqual([])
})

test('of twenty refusals one that asks for hours decides nothing', () => {
  const { singles, window } = scene()
  singles([1], refusal(36_000_000))
  singles(devices(19, 2), refusal(2000))
  expect(window('code', [30], accepted)).toBe(2000)
})

test('a device that gets too much is served', () => {
  const { singles, held } = scene()
  singles(devices(100), throttled('token'))
  expect(held()).toEqual([])
})

test('a message whose own pushes are refused is held back alone', () => {
  const { window, singles, held, pass } = scene()
  singles(devices(5, 500), accepted)
  window('poisoned', devices(100), refusal())
  expect(held()).toEqual(['poisoned'])
  expect(window('poisoned', devices(100, 101), refusal())).toBe(1000)
  expect(window('code', [7], accepted)).toBeNull()
  pass(1000)
  window('poisoned', devices(100, 101), refusal())
  expect(held()).toEqual(['poisoned'])
  expect(window('poisoned', devices(100, 201), refusal())).toBe(2000)
  pass(2000)
  expect(window('poisoned', devices(100, 201), accepted)).toBeNull()
  expect(held()).toEqual([])
})

test('two messages whose own pushes are refused are held back, and nothing else', () => {
  const { window, held } = scene()
  window('one', devices(100), refusal())
  window('other', devices(100, 101), refusal())
  expect(held()).toEqual(['one', 'other'])
  expect(window('code', [7], accepted)).toBeNull()
})

test('a provider that serves nobody is left alone by one-person messages, too', () => {
  const { window, singles, held } = scene()
  window('broadcast', devices(100), refusal())
  singles(devices(20, 500), refusal())
  expect(held()).toEqual([null, 'broadcast'])
})

test('a connection that cannot be made opens it at once, unless something was served just now', () => {
  const { singles, held, pass } = scene()
  singles([1], accepted)
  singles([2], unreachable)
  expect(held()).toEqual([])
  pass(10_001)
  singles([2, 3], unreachable)
  expect(held()).toEqual([null])
})

test('a connection that still cannot be made doubles the pause', () => {
  const { singles, window, pass } = scene()
  singles([1], unreachable)
  pass(1000)
  singles([1], unreachable)
  expect(window('code', [2], accepted)).toBe(2000)
})

test('an operator closes it', () => {
  const { breaker, singles, window, held } = scene()
  singles(devices(20), refusal(600_000))
  window('poisoned', devices(100, 101), refusal())
  breaker.close()
  expect(held()).toEqual([])
  expect(window('code', [300], accepted)).toBeNull()
})

test('messages that are held back are a bounded number', () => {
  const { window, held } = scene()
  for (let n = 0; n < 1100; n += 1) window(`poisoned ${n}`, devices(20), refusal())
  expect(held().length).toBeLessThanOrEqual(1000)
})
