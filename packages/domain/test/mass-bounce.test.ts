import { expect, test } from 'vitest'
import { massBounceIn, massBounceReason, type RecentVerdicts, type Verdicts } from '../src/index.ts'

const none: Verdicts = { judged: 0, dead: 0 }

test.each<[string, Partial<RecentVerdicts>, string | null]>([
  [
    'a fifth of many, in a list that was never cleaned',
    { minute: { judged: 40_000, dead: 8000 } },
    null,
  ],
  ['a third of many where nothing is known', { minute: { judged: 1000, dead: 330 } }, 'minute'],
  [
    'a third where a tenth is usual',
    { minute: { judged: 1000, dead: 330 }, usualShare: 0.1 },
    null,
  ],
  [
    'a third where 1 % is usual',
    { minute: { judged: 1000, dead: 330 }, usualShare: 0.01 },
    'minute',
  ],
  ['all of many', { minute: { judged: 500, dead: 500 }, usualShare: 0.1 }, 'minute'],
  ['half of some hundred', { minute: { judged: 200, dead: 100 } }, null],
  ['most of some hundred', { minute: { judged: 200, dead: 110 } }, 'minute'],
  ['all of a small app', { minute: { judged: 20, dead: 20 } }, 'minute'],
  ['all but two of a small app', { minute: { judged: 20, dead: 18 } }, null],
  ['all of nineteen', { minute: { judged: 19, dead: 19 }, hour: { judged: 19, dead: 19 } }, null],
  [
    'all of a small app, one in each minute',
    { minute: { judged: 1, dead: 1 }, hour: { judged: 20, dead: 20 } },
    'hour',
  ],
  [
    'few dead in an hour',
    { minute: { judged: 1, dead: 1 }, hour: { judged: 3000, dead: 500 } },
    null,
  ],
  [
    'many dead in an hour',
    { minute: { judged: 9, dead: 9 }, hour: { judged: 3000, dead: 800 } },
    'hour',
  ],
])('%s dead: %j is %j', (_name, verdicts, expected) => {
  const found = massBounceIn({ minute: none, hour: none, usualShare: null, ...verdicts })
  expect(found?.within ?? null).toBe(expected)
})

test('the reason says of how many, within what time, and what is usual', () => {
  expect(massBounceReason({ judged: 1000, dead: 430, within: 'minute' }, 0.02)).toBe(
    'mass bounce: tokens of 43 % of 1000 people were reported dead within a minute (usual: 2 %)',
  )
  expect(massBounceReason({ judged: 20, dead: 20, within: 'hour' }, null)).toContain(
    '100 % of 20 people were reported dead within an hour (usual: unknown)',
  )
})
