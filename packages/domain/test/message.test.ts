import { expect, test } from 'vitest'
import { AudienceInput, messageStateOf, NewMessage } from '../src/index.ts'

const token = 'ab'.repeat(32)

test.each([
  [{ person_id: 'a' }],
  [{ person_ids: ['a', 'b'] }],
  [{ token }],
  [{ tokens: [token] }],
  [{ all: true }],
  [{ person_id: 'a', token }],
  [{ person_id: 'a', devices: 'last_used' }],
  [{ person_ids: ['a'], devices: 'all' }],
])('an audience: %j', (to) => {
  expect(AudienceInput.parse(to)).toEqual(to)
})

test.each([
  [{}, ''],
  [{ devices: 'last_used' }, ''],
  [{ person_id: 'a', all: true }, ''],
  [{ person_id: 'a', person_ids: ['b'] }, ''],
  [{ person_id: 'a', tokens: [token] }, ''],
  [{ person_ids: ['a'], token }, ''],
  [{ person_id: 'a', token, all: true }, ''],
  [{ person_id: 'a', token, devices: 'last_used' }, 'devices'],
  [{ token, devices: 'last_used' }, 'devices'],
  [{ all: true, devices: 'all' }, 'devices'],
  [{ person_id: 'a', devices: 'newest' }, 'devices'],
])('no audience: %j', (to, path) => {
  const { error } = AudienceInput.safeParse(to)
  expect(error?.issues[0]?.path.join('.')).toBe(path)
})

const counts = (recipients: number, pending: number) => ({ recipients, pending })

test.each([
  ['scheduled', true, false, counts(0, 0)],
  ['accepted', false, false, counts(0, 0)],
  ['sending', false, false, counts(5, 0)],
  ['sending', false, true, counts(5, 5)],
  ['sending', false, true, counts(5, 1)],
  ['done', false, true, counts(5, 0)],
  ['done', false, true, counts(0, 0)],
] as const)('%s: scheduled %j, planned %j, %j', (state, isScheduled, isPlanned, of) => {
  expect(messageStateOf({ isScheduled, isPlanned, counts: of })).toBe(state)
})

test.each([
  [1_763_900_000, 1_763_900_000_000],
  [1_763_900_000.5, 1_763_900_000_500],
  ['2025-11-23T12:13:20Z', 1_763_900_000_000],
  ['2025-11-23T13:13:20.000+01:00', 1_763_900_000_000],
])('a message is scheduled for unix seconds or ISO 8601: %j', (send_at, ms) => {
  const message = { to: { all: true }, content: { title: 'x' }, send_at }
  expect(NewMessage.parse(message).send_at).toBe(ms)
})

test.each([-1, 1_763_900_000_000, 'tomorrow', '2025-11-23', '1763900000', null])(
  'a time that is none is refused: %j',
  (send_at) => {
    const message = { to: { all: true }, content: { title: 'x' }, send_at }
    expect(NewMessage.safeParse(message).error?.issues[0]?.path).toEqual(['send_at'])
  },
)
