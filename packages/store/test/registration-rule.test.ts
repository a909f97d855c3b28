import { expect, test } from 'vitest'
import { secretKeyProof } from '../src/caller-proof.ts'
import {
  type DeviceState,
  decideRegistration,
  type Registration,
  replacedDevice,
} from '../src/registration-rule.ts'

const now = 1_700_000_000_000
const token = 'ab'.repeat(32)

const plain: Registration = {
  workspaceNo: 1,
  appNo: 1,
  token,
  platform: 'ios',
  environment: null,
  personId: null,
  installationId: null,
  previousToken: null,
  change: { set: {}, remove: [], pushPermission: null },
  lastUsed: null,
  at: null,
}

const present: DeviceState = {
  appNo: 1,
  tokenHash: 'hash',
  token,
  platform: 'ios',
  provider: 'apns',
  environment: 'sandbox',
  person: { no: 1, id: 'a' },
  installationId: 'installation',
  readerHash: 'aa',
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

const b = { no: 2, id: 'b' }

function decide(
  call: Partial<Registration>,
  own: DeviceState | null,
  replaced: DeviceState[] = [],
  named: DeviceState['person'] = null,
) {
  return decideRegistration({ ...plain, ...call }, 'hash', own, replaced, named, now)
}

function kinds(...args: Parameters<typeof decide>): string[] {
  const decision = decide(...args)
  return decision.kind === 'late' ? ['late'] : decision.events.map((event) => event.kind)
}

const withDenied = { ...plain.change, pushPermission: false }

test.each<[string, string[], ...Parameters<typeof decide>]>([
  ['a new token', ['registered'], {}, null],
  ['a new token of a person', ['registered'], {}, null, [], b],
  ['a refresh', [], {}, present],
  ['the same person again', [], {}, present, [], { no: 1, id: 'a' }],
  ['another person', ['moved'], {}, present, [], b],
  ['a person for nobody', ['identified'], {}, { ...present, person: null }, [], b],
  ['nobody for a person', ['untied'], { isAnonymous: true, readerHash: 'aa' }, present],
  ['nobody for nobody', [], { isAnonymous: true }, { ...present, person: null }],
  ['a dead token', ['re_registered'], {}, { ...present, isDead: true }],
  ['a failing token', ['re_registered'], {}, { ...present, isFailing: true }],
  ['a dead token moved', ['re_registered', 'moved'], {}, { ...present, isDead: true }, [], b],
  ['a tombstone', ['re_registered'], {}, { ...replacedDevice(present, now) }, [], b],
  ['permission denied', ['push_disabled'], { change: withDenied, readerHash: 'aa' }, present],
  ['permission given', ['push_enabled'], {}, { ...present, pushPermission: false }],
  ['permission denied at once', ['registered'], { change: withDenied }, null],
  ['older than the row', ['late'], { at: present.orderedAt - 1 }, present],
  ['as old as the row', [], { at: present.orderedAt }, present],
  ['older than a tombstone', ['late'], { at: now - 1 }, replacedDevice(present, now)],
  ['older than what it replaces', ['late'], { at: present.orderedAt - 1 }, null, [present]],
])('%s: %j', (_name, expected, ...args) => {
  expect(kinds(...args)).toEqual(expected)
})

test('a registration renews what R2 and R3 compare with', () => {
  const dead = { ...present, isDead: true, isFailing: true, lastStatus: 'bounced' as const }
  expect(decide({}, dead)).toMatchObject({
    device: {
      epoch: 4,
      registeredAt: now,
      orderedAt: now,
      lastStatus: '',
      isDead: false,
      isFailing: false,
      lastUsed: now / 1000,
    },
  })
})

test("the client's time is kept, and never one that is still to come", () => {
  expect(decide({ at: now - 5 }, null)).toMatchObject({ device: { orderedAt: now - 5 } })
  expect(decide({ at: now + 5 }, null)).toMatchObject({ device: { orderedAt: now } })
  const ahead = { ...present, orderedAt: now + 50 }
  expect(decide({}, ahead)).toMatchObject({ kind: 'applied', device: { orderedAt: now + 50 } })
})

test.each<[string, DeviceState | null]>([
  ['a new token', null],
  ['a tombstone', { ...replacedDevice(present, 0), environment: null }],
])('%s inherits from what it replaces; what the call says counts more', (_name, own) => {
  const change = { set: { changed: 2 }, remove: ['removed'], pushPermission: null }
  const heir = { ...present, attributes: { kept: 1, changed: 1, removed: 1 } }
  expect(decide({ change }, own, [heir, { ...present, person: b }])).toMatchObject({
    device: {
      person: { id: 'a' },
      environment: 'sandbox',
      installationId: 'installation',
      attributes: { kept: 1, changed: 2 },
    },
  })
  expect(decide({ environment: 'production' }, own, [heir], b)).toMatchObject({
    device: { person: b, environment: 'production' },
  })
})

test('a phone on which nobody is identified inherits no person', () => {
  const call = { isAnonymous: true, readerHash: 'aa' }
  expect(decide(call, present)).toMatchObject({ device: { person: null } })
  expect(decide(call, null, [present])).toMatchObject({
    device: { person: null, attributes: { kept: 1 } },
  })
})

const unread = { ...present, readerHash: null }
const other = { ...present, readerHash: 'bb' }
const gone = replacedDevice(present, 0)

test.each<[string, string | null, Partial<Registration>, DeviceState | null, DeviceState[]]>([
  ['a new token takes the secret of its installation', 'cc', { readerHash: 'cc' }, null, []],
  ['a tombstone counts as new', 'cc', { readerHash: 'cc' }, gone, []],
  ['another secret changes nothing', 'aa', { readerHash: 'cc' }, present, []],
  ['a known token without a secret gets none', null, { readerHash: 'cc' }, unread, []],
  ['saying nothing changes nothing', 'aa', {}, present, []],
  ['a proven caller replaces it', 'cc', { readerHash: 'cc', proof: secretKeyProof }, present, []],
  ['a proven caller sets it', 'cc', { readerHash: 'cc', proof: secretKeyProof }, unread, []],
  ['proven without a secret changes nothing', 'aa', { proof: secretKeyProof }, present, []],
  ['a new token of the same installation', 'aa', { readerHash: 'aa' }, null, [present]],
  ['whoever replaces a token does not read it', 'aa', { readerHash: 'cc' }, null, [present]],
  ['own and replaced, one secret', 'aa', { readerHash: 'aa' }, present, [present]],
  ['what a stranger replaces is not read', null, { readerHash: 'bb' }, other, [present]],
  ['nor with the secret of the other', null, { readerHash: 'aa' }, other, [present]],
  ['nor what had none', null, { readerHash: 'bb' }, other, [unread]],
])('who may read: %s', (_name, expected, call, own, replaced) => {
  expect(decide(call, own, replaced)).toMatchObject({ device: { readerHash: expected } })
})

test.each<[string, string | null, Partial<Registration>, DeviceState]>([
  ['knowing its secret', 'a', { readerHash: 'aa' }, present],
  ['with another secret', null, { readerHash: 'bb' }, present],
  ['without a secret', null, {}, present],
  ['where neither has one', null, {}, unread],
])('a tie that has to be proven is taken over %s', (_name, expected, call, heir) => {
  const { device } = Object(decide({ ...call, mustProveTie: true }, null, [heir]))
  expect(device.person?.id ?? null).toBe(expected)
  expect(device.attributes).toEqual(expected === null ? {} : { kept: 1 })
})

const stranger = { readerHash: 'cc' }
const silencing: Partial<Registration> = {
  platform: 'android',
  environment: 'production',
  installationId: 'theirs',
  change: { set: { told: 1 }, remove: [], pushPermission: false },
}

test('a stranger to a device with a secret on record adds to it and silences nothing', () => {
  const { provider, platform, environment, installationId, person } = present
  const kept = { provider, platform, environment, installationId, person, pushPermission: true }
  for (const call of [stranger, {}, { ...stranger, isAnonymous: true }]) {
    expect(decide({ ...silencing, ...call }, present)).toMatchObject({
      device: { ...kept, readerHash: 'aa', attributes: { kept: 1, told: 1 } },
    })
  }
})

test.each<[string, Partial<Registration>]>([
  ['the secret on record', { readerHash: 'aa' }],
  ['an identity token of its person', { proof: { isSecretKey: false, personIds: ['a'] } }],
  ['a secret key', { proof: secretKeyProof }],
])('%s changes all of it', (_name, call) => {
  expect(decide({ ...silencing, ...call }, present)).toMatchObject({
    device: {
      platform: 'android',
      environment: 'production',
      installationId: 'theirs',
      pushPermission: false,
    },
  })
})

test.each<[string, string | null, Partial<Registration>]>([
  ['by a stranger', null, { readerHash: 'cc' }],
  ['without a secret', null, {}],
  ['by its installation', 'aa', { readerHash: 'aa' }],
  [
    'by a token of the next person',
    'cc',
    { readerHash: 'cc', personId: 'b', proof: { isSecretKey: false, personIds: ['b'] } },
  ],
])('a token that a public key moves to another person %s starts anew', (_name, reader, call) => {
  const said = { ...call, environment: 'production' as const }
  expect(decide(said, present, [], b)).toMatchObject({
    device: {
      person: b,
      environment: 'production',
      attributes: {},
      installationId: null,
      readerHash: reader,
    },
  })
})

test('a backend that moves a token keeps what its device is', () => {
  expect(decide({ proof: secretKeyProof }, present, [], b)).toMatchObject({
    device: { attributes: { kept: 1 }, installationId: 'installation', readerHash: 'aa' },
  })
})

test('nothing of another person passes to the token that replaces theirs', () => {
  const { device } = Object(decide({ installationId: 'i' }, null, [unread], b))
  expect(device).toMatchObject({ person: b, attributes: {}, installationId: 'i' })
})

test('a stranger who unties a token leaves the phone its installation, and no attributes', () => {
  expect(Object(decide({ isAnonymous: true }, unread)).device).toMatchObject({
    person: null,
    attributes: {},
    installationId: 'installation',
  })
})

test('a clock that runs ahead makes no device the last used for years', () => {
  const { device } = Object(decide({ lastUsed: 221_845_392_000 }, null))
  expect(device.lastUsed).toBe(now / 1000)
})

test('a replaced device keeps its hash and its order, and nothing else of anybody', () => {
  expect(replacedDevice(present, now)).toMatchObject({
    tokenHash: 'hash',
    token: null,
    person: null,
    installationId: null,
    readerHash: null,
    attributes: {},
    orderedAt: now,
    isDeleted: true,
  })
  expect(replacedDevice({ ...present, orderedAt: now + 1 }, now).orderedAt).toBe(now + 1)
})
