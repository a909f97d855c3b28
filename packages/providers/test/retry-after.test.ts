import { expect, test } from 'vitest'
import { retryAfterMs } from '../src/retry-after.ts'

const now = Date.parse('2026-11-23T12:00:00Z')

test.each([
  [null, null],
  ['0', 0],
  ['7', 7000],
  [' 120 ', 120_000],
  ['999999999', 86_400_000],
  ['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
  ['Mon, 23 Nov 2026 11:00:00 GMT', 0],
  ['soon', null],
  ['', null],
])('Retry-After %j asks for %j ms', (header, ms) => {
  expect(retryAfterMs(header, now)).toBe(ms)
})
