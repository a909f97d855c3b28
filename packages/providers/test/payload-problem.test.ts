import { expect, test } from 'vitest'
import { payloadBytes, payloadProblem } from '../src/payload-problem.ts'
import { message } from './messages.ts'

test('an ordinary message has no problem', () => {
  expect(payloadProblem(message())).toBeNull()
})

test('a payload of 4,096 bytes passes and one more does not', () => {
  const withBody = (body: string) => message({ content: { body }, collapseId: null })
  const spare = 4096 - payloadBytes(withBody('')).apns
  const fitting = withBody('x'.repeat(spare))
  expect(payloadBytes(fitting).apns).toBe(4096)
  expect(payloadProblem(fitting)).toBeNull()
  expect(payloadProblem(withBody('x'.repeat(spare + 1)))).toEqual({
    kind: 'too-large',
    path: 'content',
    message: 'makes a payload of 4097 bytes; APNs takes 4096',
  })
})

test('bytes are counted, not characters', () => {
  expect(payloadProblem(message({ content: { body: '€'.repeat(1400) } }))).toMatchObject({
    kind: 'too-large',
  })
})

test('what only FCM gets is counted as FCM counts: keys and values', () => {
  const fcm = { data: { k: 'x'.repeat(4096) } }
  const problem = payloadProblem(message({ content: undefined, fcm }))
  expect(problem).toMatchObject({ kind: 'too-large', path: 'fcm' })
  const bytes = payloadBytes(message({ content: { title: 'ab' }, collapseId: null })).fcm
  expect(bytes).toBe('pushkeep_message_id'.length + 36 + 'title'.length + 2)
})

test.each(['from', 'message_type', 'gcm', 'gcm.notification.e', 'google.to', 'google_id'])(
  'the data key %s is FCM’s own',
  (key) => {
    const content = { title: 'Hello', data: { fine: 1, [key]: 1 } }
    const problem = { kind: 'forbidden', message: 'is reserved by FCM' }
    expect(payloadProblem(message({ content }))).toEqual({
      ...problem,
      path: `content.data.${key}`,
    })
    const fcm = { data: { [key]: 1 } }
    expect(payloadProblem(message({ fcm }))).toEqual({ ...problem, path: `fcm.data.${key}` })
  },
)

test.each(['from_user', 'fromage', 'my_gcm', 'type'])('the data key %s is not', (key) => {
  expect(payloadProblem(message({ content: { title: 'Hello', data: { [key]: 1 } } }))).toBeNull()
})

test('a header that cannot be sent is named', () => {
  expect(payloadProblem(message({ apns: { headers: { 'apns-priority': '10\r\nx: y' } } }))).toEqual(
    {
      kind: 'forbidden',
      path: 'apns.headers.apns-priority',
      message: 'must be visible ASCII',
    },
  )
  expect(payloadProblem(message({ apns: { headers: { 'apns-collapse-id': 'ä' } } }))).toBeNull()
})

test("the keys of Customer.io's SDKs count, with room for the device's token", () => {
  const plain = message({ content: { title: 'Hello', link: 'app://7' } })
  const without = payloadBytes(plain)
  const withKeys = payloadBytes({ ...plain, sdkKeys: true })
  const names = ['CIO-Delivery-ID', 'CIO-Delivery-Token'].join('').length
  expect(withKeys.fcm - without.fcm).toBe(names + 22 + 200)
  const json = JSON.stringify({
    'CIO-Delivery-ID': 'x'.repeat(22),
    'CIO-Delivery-Token': 'x'.repeat(200),
    CIO: { push: { link: 'app://7' } },
  })
  const mutable = '"mutable-content":1,'.length
  expect(withKeys.apns - without.apns).toBe(json.length - '{}'.length + ','.length + mutable)
})

test('a push that is too large with those keys says what they take of it', () => {
  const fitting = message({ content: { body: 'x'.repeat(3800) } })
  expect(payloadProblem(fitting)).toBeNull()
  const { apns } = payloadBytes({ ...fitting, sdkKeys: true })
  const share = apns - payloadBytes(fitting).apns
  expect(payloadProblem({ ...fitting, sdkKeys: true })).toEqual({
    kind: 'too-large',
    path: 'content',
    message: `makes a payload of ${apns} bytes, ${share} of them for Customer.io's SDKs; APNs takes 4096`,
  })
})

const typed = (headers: Record<string, string>, more: object = {}) =>
  message({ content: undefined, apns: { headers, payload: { aps: { event: 'end' } } }, ...more })

test('a VoIP push may have 5,120 bytes, any other 4,096', () => {
  const of = (type: string, body: string) =>
    message({
      content: undefined,
      collapseId: null,
      apns: { headers: { 'apns-push-type': type }, payload: { aps: {}, body } },
    })
  const fits = (type: string, bytes: number) => {
    const spare = bytes - payloadBytes(of(type, '')).apns
    return payloadProblem(of(type, 'x'.repeat(spare)))
  }
  expect(fits('voip', 5120)).toBeNull()
  expect(fits('voip', 5121)).toMatchObject({ kind: 'too-large' })
  expect(fits('liveactivity', 4096)).toBeNull()
  expect(fits('liveactivity', 4097)).toMatchObject({ kind: 'too-large' })
})

test.each<[string, Record<string, string>, object, string]>([
  ['a type that APNs does not know', { 'apns-push-type': 'shout' }, {}, 'apns-push-type'],
  ['a type in capital letters', { 'apns-push-type': 'VOIP' }, {}, 'apns-push-type'],
  ['a type from a prototype', { 'apns-push-type': 'constructor' }, {}, 'apns-push-type'],
  ['a template as a type', { 'apns-push-type': '{{ trigger.type }}' }, {}, 'apns-push-type'],
  [
    'a background push with a title',
    { 'apns-push-type': 'background' },
    { content: { title: 'Hello' } },
    'apns-push-type',
  ],
  [
    'a background push with a badge of the caller',
    { 'apns-push-type': 'background' },
    { apns: { headers: { 'apns-push-type': 'background' }, payload: { aps: { badge: 1 } } } },
    'apns-push-type',
  ],
  [
    'a background push at priority 10',
    { 'apns-push-type': 'background', 'apns-priority': '10' },
    {},
    'apns-priority',
  ],
  ['a silent push at priority 10', { 'apns-priority': '10' }, {}, 'apns-priority'],
  [
    'a priority that there is not',
    { 'apns-push-type': 'voip', 'apns-priority': '7' },
    {},
    'apns-priority',
  ],
  [
    'push to talk at priority 5',
    { 'apns-push-type': 'pushtotalk', 'apns-priority': '5' },
    {},
    'apns-priority',
  ],
  [
    'push to talk that may come late',
    { 'apns-push-type': 'pushtotalk', 'apns-expiration': '1800000000' },
    {},
    'apns-expiration',
  ],
  ['an expiration in words', { 'apns-expiration': 'tomorrow' }, {}, 'apns-expiration'],
  ['a negative expiration', { 'apns-expiration': '-1' }, {}, 'apns-expiration'],
])('%s is refused, and the header is named', (_name, headers, more, named) => {
  expect(payloadProblem(typed(headers, more))).toMatchObject({
    kind: 'forbidden',
    path: `apns.headers.${named}`,
  })
})

test.each([
  'voip',
  'complication',
  'fileprovider',
  'location',
  'liveactivity',
  'widgets',
  'controls',
])('%s may have any priority', (type) => {
  for (const priority of ['10', '5', '1']) {
    expect(payloadProblem(typed({ 'apns-push-type': type, 'apns-priority': priority }))).toBeNull()
  }
})
