import { expect, test } from 'vitest'
import { isMassBounce, massBounceReason } from '../src/index.ts'

test.each([
  [
    'a fifth dead in a list that nobody cleaned',
    { judged: 40_000, dead: 8000, usualShare: null },
    false,
  ],
  ['a third dead where nothing is known', { judged: 1000, dead: 330, usualShare: null }, true],
  ['a third dead where a tenth is usual', { judged: 1000, dead: 330, usualShare: 0.1 }, false],
  ['a third dead where 1 % is usual', { judged: 1000, dead: 330, usualShare: 0.01 }, true],
  ['all dead, but few', { judged: 499, dead: 499, usualShare: null }, false],
  ['all dead', { judged: 500, dead: 500, usualShare: 0.1 }, true],
])('%s: a mass bounce is %j', (_name, minute, expected) => {
  expect(isMassBounce(minute)).toBe(expected)
})

test('the reason says how many, and what is usual', () => {
  expect(massBounceReason({ judged: 1000, dead: 430, usualShare: 0.02 })).toBe(
    'mass bounce: 43 % of 1000 tokens were reported dead within a minute (usual: 2 %)',
  )
})
