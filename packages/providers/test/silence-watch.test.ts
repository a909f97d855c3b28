import { expect, test } from 'vitest'
import { poolDefaults } from '../src/pool-settings.ts'
import { SilenceWatch } from '../src/silence-watch.ts'

test('a peer that owes answers is asked after 5 s of silence, and given up 5 s later', () => {
  const watch = new SilenceWatch(poolDefaults, 0)
  expect(watch.judge(4_999, true)).toBe('wait')
  expect(watch.judge(5_000, true)).toBe('ask')
  expect(watch.judge(9_999, true)).toBe('wait')
  expect(watch.judge(10_000, true)).toBe('give-up')
})

test('a peer that owes nothing is asked once a minute', () => {
  const watch = new SilenceWatch(poolDefaults, 0)
  expect(watch.judge(59_999, false)).toBe('wait')
  expect(watch.judge(60_000, false)).toBe('ask')
})

test('the answer to a PING makes it as good as new', () => {
  const watch = new SilenceWatch(poolDefaults, 0)
  watch.judge(5_000, true)
  watch.answered(6_000)
  expect(watch.judge(10_999, true)).toBe('wait')
  expect(watch.judge(11_000, true)).toBe('ask')
})
