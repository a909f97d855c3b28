import { expect, test } from 'vitest'
import { createBreaker, lowerMedian } from '../src/delivery/breaker.ts'

function scene() {
  let now = 1000
  const breaker = createBreaker({ firstMs: 100, capMs: 1000, now: () => now, random: () => 1 })
  return { breaker, pass: (ms: number) => (now += ms) }
}

test('a breaker lets everything through until it is opened', () => {
  const { breaker } = scene()
  expect([breaker.enter(), breaker.enter()]).toEqual([{ kind: 'go' }, { kind: 'go' }])
  breaker.open(0)
  expect(breaker.enter()).toEqual({ kind: 'wait', ms: 100 })
})

test('when its time is over three windows probe, the others wait on', () => {
  const { breaker, pass } = scene()
  breaker.open(0)
  pass(100)
  const kinds = Array.from({ length: 5 }, () => breaker.enter().kind)
  expect(kinds).toEqual(['go', 'go', 'go', 'wait', 'wait'])
  breaker.leave()
  expect(breaker.enter().kind).toBe('go')
})

test('one answer to a probe closes it', () => {
  const { breaker, pass } = scene()
  breaker.open(0)
  pass(100)
  breaker.enter()
  breaker.served()
  expect(breaker.standing()).toBeNull()
})

test('an answer to what was sent before it opened does not close it', () => {
  const { breaker } = scene()
  breaker.open(0)
  breaker.served()
  expect(breaker.enter().kind).toBe('wait')
})

test('one token that is refused again and again does not open it again', () => {
  const { breaker, pass } = scene()
  breaker.open(0)
  pass(100)
  for (let n = 0; n < 10; n += 1) {
    expect(breaker.enter()).toEqual({ kind: 'go' })
    breaker.refused(7, 600_000)
    breaker.leave()
  }
  breaker.enter()
  breaker.served()
  expect(breaker.standing()).toBeNull()
})

test('probes of several tokens that are refused double the pause up to the cap', () => {
  const { breaker, pass } = scene()
  const pauses = []
  breaker.open(0)
  for (let n = 0; n < 6; n += 1) {
    const admission = breaker.enter()
    pauses.push(admission.kind === 'wait' ? admission.ms : 0)
    pass(2000)
    for (const token of [1, 2, 3]) breaker.refused(token, 0)
  }
  expect(pauses).toEqual([100, 200, 400, 800, 1000, 1000])
})

test('a provider is left alone for as long as it asks, a quarter of an hour at most', () => {
  const { breaker } = scene()
  breaker.open(5000)
  expect(breaker.enter()).toEqual({ kind: 'wait', ms: 5000 })
  breaker.close()
  breaker.open(86_400_000)
  expect(breaker.enter()).toEqual({ kind: 'wait', ms: 900_000 })
})

test.each([
  [[], 0],
  [[5], 5],
  [[0, 600], 0],
  [[1, 60, 600], 60],
])('the lower median of %j is %i', (values, expected) => {
  expect(lowerMedian(values)).toBe(expected)
})
