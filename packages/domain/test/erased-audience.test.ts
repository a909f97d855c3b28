import { expect, test } from 'vitest'
import { type AudienceInput, erasedStandIn, renameInAudience } from '../src/index.ts'

const erasure = '01890000-0000-7000-8000-000000000001'
const person = erasedStandIn(erasure)
const token = erasedStandIn(erasure, 0)

/** Ana is erased, with her token; Bea was merged into Cleo. */
const standIns = {
  person: (id: string) => ({ ana: person, bea: 'cleo' })[id] ?? null,
  token: (text: string) => (text === 'token-of-ana' ? token : null),
}

test.each<[string, AudienceInput, AudienceInput, { isChanged: boolean; namesOnlyErased: boolean }]>(
  [
    [
      'a person',
      { person_id: 'ana' },
      { person_id: person },
      { isChanged: true, namesOnlyErased: true },
    ],
    [
      'a person, whose devices are picked',
      { person_id: 'ana', devices: 'last_used', subscribed: true },
      { person_id: person, devices: 'last_used', subscribed: true },
      { isChanged: true, namesOnlyErased: true },
    ],
    [
      'a list, which keeps its length and its order',
      { person_ids: ['dora', 'ana', 'ana', 'eve'] },
      { person_ids: ['dora', person, person, 'eve'] },
      { isChanged: true, namesOnlyErased: false },
    ],
    [
      'a token of a person',
      { person_id: 'ana', token: 'token-of-ana' },
      { person_id: person, token },
      { isChanged: true, namesOnlyErased: true },
    ],
    [
      'tokens of whom one is left',
      { tokens: ['token-of-ana', 'token-of-dora'] },
      { tokens: [token, 'token-of-dora'] },
      { isChanged: true, namesOnlyErased: false },
    ],
    [
      'the second of two who were erased',
      { person_ids: [erasedStandIn('01890000-0000-7000-8000-000000000002'), 'ana'] },
      { person_ids: [erasedStandIn('01890000-0000-7000-8000-000000000002'), person] },
      { isChanged: true, namesOnlyErased: true },
    ],
    [
      'a merged person',
      { person_id: 'bea' },
      { person_id: 'cleo' },
      { isChanged: true, namesOnlyErased: false },
    ],
    [
      'others',
      { person_ids: ['dora', 'Ana', ' ana'] },
      { person_ids: ['dora', 'Ana', ' ana'] },
      { isChanged: false, namesOnlyErased: false },
    ],
    ['everyone', { all: true }, { all: true }, { isChanged: false, namesOnlyErased: false }],
    [
      'an id that only looks erased',
      { person_id: 'erased:ana' },
      { person_id: 'erased:ana' },
      { isChanged: false, namesOnlyErased: false },
    ],
  ],
)('an audience of %s', (_, to, audience, rest) => {
  expect(renameInAudience(to, standIns)).toEqual({ audience, ...rest })
})
