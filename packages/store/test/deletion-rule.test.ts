import { expect, test } from 'vitest'
import { type Deletion, decideDeletion } from '../src/deletion-rule.ts'
import { type DeviceState, replacedDevice } from '../src/registration-rule.ts'

const now = 1_700_000_000_000
const token = 'ab'.repeat(32)

const present: DeviceState = {
  appNo: 1,
  tokenHash: 'hash',
  token,
  platform: 'ios',
  provider: 'apns',
  environment: null,
  person: { no: 1, id: 'a' },
  installationId: null,
  readerHash: null,
  attributes: { kept: 1 },
  pushPermission: true,
  lastUsed: 5,
  epoch: 3,
  registeredAt: now - 1000,
  orderedAt: now - 1000,
  lastStatus: 'sent',
  isFailing: false,
  isDead: false,
  isDeleted: false,
}
const untied = { ...present, person: null }
const tombstone = replacedDevice(present, now - 1000)

const before = now - 2000
const after = now - 500

function decide(call: Partial<Deletion>, own: DeviceState | null) {
  return decideDeletion({ appNo: 1, token, personId: null, at: null, ...call }, 'hash', own, now)
}

/** What is decided, and the order that is remembered by it; null where nothing is written. */
function told(call: Partial<Deletion>, own: DeviceState | null): [string, number | null] {
  const decision = decide(call, own)
  switch (decision.kind) {
    case 'late':
      return ['late', null]
    case 'deleted':
    case 'unseen':
      return [decision.kind, decision.tombstone.orderedAt]
    case 'unknown':
      return ['unknown', decision.order?.orderedAt ?? null]
  }
}

test.each<[string, string, number | null, Partial<Deletion>, DeviceState | null]>([
  ["anybody's", 'deleted', now, {}, present],
  ['its own', 'deleted', now, { personId: 'a' }, present],
  ['its own, by the client’s time', 'deleted', after, { personId: 'a', at: after }, present],
  ['by a clock that runs ahead', 'deleted', now, { at: now + 1000 }, present],
  ['as old as the row', 'deleted', present.orderedAt, { at: present.orderedAt }, present],
  ['late', 'late', null, { at: before }, present],
  ["late, another person's", 'late', null, { personId: 'b', at: before }, present],
  ["another person's", 'unknown', null, { personId: 'b' }, present],
  ["another person's, by its time", 'unknown', after, { personId: 'b', at: after }, present],
  ["nobody's", 'unknown', null, { personId: 'a' }, untied],
  ["nobody's, by its time", 'unknown', after, { personId: 'a', at: after }, untied],
  ['a tombstone', 'unknown', now, {}, tombstone],
  ['a tombstone, naming a person', 'unknown', after, { personId: 'a', at: after }, tombstone],
  ['a newer tombstone', 'unknown', null, { at: before }, tombstone],
  ['a token never heard of', 'unknown', null, { personId: 'a' }, null],
  ['a token never heard of, by its time', 'unseen', after, { personId: 'a', at: after }, null],
])('%s: %s', (_name, kind, order, call, own) => {
  expect(told(call, own)).toEqual([kind, order])
})

test('what is deleted keeps its hash and nothing of anybody; its registration is over', () => {
  expect(decide({}, present)).toMatchObject({
    device: { person: { id: 'a' } },
    tombstone: { token: null, person: null, attributes: {}, epoch: 4, isDeleted: true },
  })
})

test('of a token never heard of nothing but the hash is kept', () => {
  expect(decide({ at: after }, null)).toMatchObject({
    tombstone: { tokenHash: 'hash', token: null, platform: 'ios', provider: 'apns' },
  })
  const android = decideDeletion(
    { appNo: 1, token: `x:APA91b${'y'.repeat(50)}`, personId: null, at: after },
    'hash',
    null,
    now,
  )
  expect(android).toMatchObject({ tombstone: { platform: 'android', provider: 'fcm' } })
})
