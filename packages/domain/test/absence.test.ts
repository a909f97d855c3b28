import { expect, test } from 'vitest'
import { type Absence, type AbsenceFacts, absenceOf } from '../src/index.ts'

const base: AbsenceFacts = {
  isForOtherApp: false,
  isNamed: true,
  plannedAt: 100,
  createdAt: 50,
  tiedAt: 50,
}

test.each<[string, Partial<AbsenceFacts>, Absence]>([
  ['a message for another app', { isForOtherApp: true, isNamed: false }, 'other_app'],
  ['an audience of others', { isNamed: false, plannedAt: null }, 'not_named'],
  ['an audience that is not made out yet', { plannedAt: null }, 'not_planned_yet'],
  ['a phone that came later', { createdAt: 101, tiedAt: 101 }, 'registered_later'],
  ['a phone that somebody else had until later', { tiedAt: 101 }, 'tied_later'],
  ['a phone that was there all along', {}, 'unknown'],
  ['a phone of which nothing more is known', { tiedAt: null }, 'unknown'],
])('%s', (_name, facts, expected) => {
  expect(absenceOf({ ...base, ...facts })).toBe(expected)
})
