import { expect, test } from 'vitest'
import { createBreaker } from '../src/delivery/breaker.ts'

function scene() {
  let now = 1000
  const breaker = createBreaker({ firstMs: 100, capMs: 1000, now: () => now, random: () => 1 })
  return { breaker, pass: (ms: number) => (now += ms) }
}

test('a breaker lets everything through until a window is refused', () => {
  const { breaker } = scene()
  expect(breaker.enter()).toEqual({ kind: 'go' })
  expect(breaker.enter()).toEqual({ kind: 'go' })
  breaker.served()
  breaker.refused(0)
  expect(breaker.enter()).toEqual({ kind: 'wait', ms: 100 })
})

test('when its time is over one window probes, the others go on waiting', () => {
  const { breaker, pass } = scene()
  breaker.refused(0)
  pass(100)
  expect(breaker.enter()).toEqual({ kind: 'go' })
  expect(breaker.enter().kind).toBe('wait')
  breaker.served()
  expect(breaker.enter()).toEqual({ kind: 'go' })
  expect(breaker.enter()).toEqual({ kind: 'go' })
})

test('a refused probe doubles the pause up to the cap', () => {
  const { breaker, pass } = scene()
  const pauses = []
  for (let i = 0; i < 6; i += 1) {
    breaker.refused(0)
    const admission = breaker.enter()
    pauses.push(admission.kind === 'wait' ? admission.ms : 0)
    pass(2000)
    expect(breaker.enter()).toEqual({ kind: 'go' })
  }
  expect(pauses).toEqual([100, 200, 400, 800, 1000, 1000])
})

test('windows refused together count once, and what the provider asks for is kept', () => {
  const { breaker } = scene()
  breaker.refused(5000)
  breaker.refused(5000)
  expect(breaker.enter()).toEqual({ kind: 'wait', ms: 5000 })
})

test('a probe without a call gives its turn back', () => {
  const { breaker, pass } = scene()
  breaker.refused(0)
  pass(100)
  expect(breaker.enter().kind).toBe('go')
  breaker.nothing()
  expect(breaker.enter().kind).toBe('go')
})
