import { describe, expect, test } from 'vitest'
import { renderApns } from '../src/apns/payload.ts'
import type { MessageToRender } from '../src/provider.ts'
import { bodyFor } from '../src/spliced.ts'
import { message, noon } from './messages.ts'

const id = '0193575e-0000-7000-8000-000000000001'
const deliveryId = 'AZNXXgAAcACAAAAAAAAAAQ'
const token = 'ab'.repeat(32)

function headersOf(rendered: MessageToRender): Record<string, string> {
  const { headers } = renderApns(rendered, 'com.example.app')
  const pairs = headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1]]] : []))
  return Object.fromEntries(pairs)
}

function payloadOf(rendered: MessageToRender): unknown {
  const { payload } = renderApns(rendered, 'com.example.app')
  return JSON.parse(bodyFor(payload, token).toString('utf8'))
}

test('a message with text is an alert', () => {
  expect(headersOf(message())).toEqual({
    'apns-topic': 'com.example.app',
    'apns-push-type': 'alert',
    'apns-priority': '10',
    'apns-expiration': String(noon / 1000 + 3600),
    'apns-collapse-id': id,
  })
  expect(payloadOf(message())).toEqual({
    pushkeep: { message_id: id },
    aps: { alert: { title: 'Hello', body: 'World' } },
  })
})

test('every part of the content has its place', () => {
  const content = {
    title: 'Hello',
    body: 'Zoë 👋',
    image_url: 'https://example.com/a.png',
    link: 'app://orders/7',
    badge: 3,
    sound: 'chime.caf',
    data: { order: 7, nested: { deep: [true, null] } },
  }
  expect(payloadOf(message({ content }))).toEqual({
    order: 7,
    nested: { deep: [true, null] },
    pushkeep: {
      message_id: id,
      link: 'app://orders/7',
      image_url: 'https://example.com/a.png',
    },
    aps: {
      alert: { title: 'Hello', body: 'Zoë 👋' },
      badge: 3,
      sound: 'chime.caf',
      'mutable-content': 1,
    },
  })
})

test('a title or a body alone leaves the other one out', () => {
  expect(payloadOf(message({ content: { body: 'World' } }))).toMatchObject({
    aps: { alert: { body: 'World' } },
  })
  expect(payloadOf(message({ content: { title: 'Hello' } }))).toMatchObject({
    aps: { alert: { title: 'Hello' } },
  })
})

test('a message that shows nothing is a background push at priority 5', () => {
  const silent = message({ content: { data: { sync: true } } })
  expect(headersOf(silent)).toMatchObject({ 'apns-push-type': 'background', 'apns-priority': '5' })
  expect(payloadOf(silent)).toEqual({
    sync: true,
    pushkeep: { message_id: id },
    aps: { 'content-available': 1 },
  })
})

test('a badge alone is an alert without text', () => {
  const badge = message({ content: { badge: 0 } })
  expect(headersOf(badge)).toMatchObject({ 'apns-push-type': 'alert', 'apns-priority': '10' })
  expect(payloadOf(badge)).toMatchObject({ aps: { badge: 0 } })
})

test('data never takes the place of aps or of our own key', () => {
  const data = { aps: { alert: 'mine' }, pushkeep: 'mine', kept: 'yes' }
  const payload = payloadOf(message({ content: { title: 'Hello', data } }))
  expect(payload).toEqual({
    kept: 'yes',
    pushkeep: { message_id: id },
    aps: { alert: { title: 'Hello' } },
  })
})

test('an override replaces top-level keys, merges aps by key, and replaces headers', () => {
  const overridden = message({
    content: { title: 'Hello', badge: 1, data: { a: 1, b: 2 } },
    apns: {
      headers: { 'apns-priority': '1', 'apns-expiration': '0' },
      payload: { a: { new: true }, aps: { badge: 9, 'thread-id': 'chat' } },
    },
  })
  expect(headersOf(overridden)).toMatchObject({
    'apns-push-type': 'alert',
    'apns-priority': '1',
    'apns-expiration': '0',
  })
  expect(payloadOf(overridden)).toEqual({
    a: { new: true },
    b: 2,
    pushkeep: { message_id: id },
    aps: { alert: { title: 'Hello' }, badge: 9, 'thread-id': 'chat' },
  })
})

test('an alert that comes with the override alone is an alert', () => {
  const overridden = message({ content: undefined, apns: { payload: { aps: { alert: 'Hi' } } } })
  expect(headersOf(overridden)).toMatchObject({ 'apns-push-type': 'alert', 'apns-priority': '10' })
  expect(payloadOf(overridden)).toEqual({ pushkeep: { message_id: id }, aps: { alert: 'Hi' } })
})

test('a normal priority is 5, a time to live of 0 is tried once, no collapse id is no header', () => {
  const headers = headersOf(message({ priority: 'normal', ttlSeconds: 0, collapseId: null }))
  expect(headers).toEqual({
    'apns-topic': 'com.example.app',
    'apns-push-type': 'alert',
    'apns-priority': '5',
    'apns-expiration': '0',
  })
})

test('a collapse id that no header can carry is replaced by its hash', () => {
  const collapseOf = (collapseId: string) => headersOf(message({ collapseId }))['apns-collapse-id']
  expect(collapseOf('order 7')).toBe('order 7')
  expect(collapseOf('x'.repeat(64))).toBe('x'.repeat(64))
  for (const collapseId of ['bestellung-ä', 'a\r\nb', ' padded', '\u{1f600}', 'x'.repeat(65)]) {
    expect(collapseOf(collapseId)).toMatch(/^[\w-]{43}$/)
  }
  expect(collapseOf('ä')).not.toBe(collapseOf('ö'))
})

describe("with the keys of Customer.io's SDKs", () => {
  const sdkKeys = true

  test('an alert names message and device beside aps, and wakes the service extension', () => {
    expect(payloadOf(message({ sdkKeys }))).toEqual({
      'CIO-Delivery-ID': deliveryId,
      'CIO-Delivery-Token': token,
      pushkeep: { message_id: id },
      aps: { alert: { title: 'Hello', body: 'World' }, 'mutable-content': 1 },
    })
  })

  test('image and link stand where rich push looks for them', () => {
    const content = { title: 'Hello', image_url: 'https://example.com/a.png', link: 'app://7' }
    expect(payloadOf(message({ content, sdkKeys }))).toMatchObject({
      CIO: { push: { image: 'https://example.com/a.png', link: 'app://7' } },
    })
    const linked = { title: 'Hello', link: 'app://7' }
    expect(payloadOf(message({ content: linked, sdkKeys }))).toHaveProperty('CIO', {
      push: { link: 'app://7' },
    })
  })

  test('a push that shows nothing has none of them', () => {
    const silent = message({ content: { data: { sync: true }, link: 'app://7' } })
    expect(payloadOf({ ...silent, sdkKeys })).toEqual(payloadOf(silent))
  })

  test("the caller's own keys stay", () => {
    const own = { 'CIO-Delivery-ID': 'mine', 'CIO-Delivery-Token': 'mine', CIO: { push: {} } }
    const content = { title: 'Hello', link: 'app://7' }
    const asData = message({ content: { ...content, data: own }, sdkKeys })
    const asOverride = message({ content, apns: { payload: own }, sdkKeys })
    for (const one of [asData, asOverride]) expect(payloadOf(one)).toMatchObject(own)
    const aps = { 'mutable-content': 0 }
    expect(payloadOf(message({ content, apns: { payload: { aps } }, sdkKeys }))).toMatchObject({
      aps,
    })
  })

  test('each device gets its own token, in the same number of bytes as JSON has', () => {
    const { payload } = renderApns(message({ sdkKeys }), 'com.example.app')
    const bodies = ['0a'.repeat(32), 'ff'.repeat(80)].map((one) => bodyFor(payload, one))
    expect(bodies.map((body) => JSON.parse(body.toString())['CIO-Delivery-Token'])).toEqual([
      '0a'.repeat(32),
      'ff'.repeat(80),
    ])
    for (const body of bodies) expect(body.toString()).toBe(JSON.stringify(JSON.parse(`${body}`)))
  })
})

describe('push types', () => {
  const types: [type: string, topic: string, priority: string, expiration: string | undefined][] = [
    ['alert', 'com.example.app', '10', undefined],
    ['voip', 'com.example.app.voip', '10', undefined],
    ['complication', 'com.example.app.complication', '10', undefined],
    ['fileprovider', 'com.example.app.pushkit.fileprovider', '10', undefined],
    ['mdm', 'com.example.app', '10', undefined],
    ['location', 'com.example.app.location-query', '10', undefined],
    ['liveactivity', 'com.example.app.push-type.liveactivity', '10', undefined],
    ['pushtotalk', 'com.example.app.voip-ptt', '10', '0'],
    ['widgets', 'com.example.app.push-type.widgets', '10', undefined],
    ['controls', 'com.example.app.push-type.controls', '10', undefined],
  ]

  test.each(types)('%s has the topic %s', (type, topic, priority, expiration) => {
    const typed = message({
      content: undefined,
      apns: { headers: { 'apns-push-type': type }, payload: { aps: { event: 'update' } } },
    })
    expect(headersOf(typed)).toMatchObject({
      'apns-topic': topic,
      'apns-push-type': type,
      'apns-priority': priority,
      'apns-expiration': expiration ?? String(noon / 1000 + 3600),
    })
    expect(payloadOf(typed)).toEqual({ pushkeep: { message_id: id }, aps: { event: 'update' } })
  })

  test('background wakes the app at priority 5, of high priority too', () => {
    const typed = message({
      content: { data: { a: 1 } },
      apns: { headers: { 'apns-push-type': 'background' } },
    })
    expect(headersOf(typed)).toMatchObject({
      'apns-topic': 'com.example.app',
      'apns-priority': '5',
    })
    expect(payloadOf(typed)).toMatchObject({ aps: { 'content-available': 1 } })
  })

  test('a message that has time is of priority 5, but for push to talk', () => {
    const priorityOf = (type: string) =>
      headersOf(message({ priority: 'normal', apns: { headers: { 'apns-push-type': type } } }))[
        'apns-priority'
      ]
    expect(priorityOf('voip')).toBe('5')
    expect(priorityOf('liveactivity')).toBe('5')
    expect(priorityOf('pushtotalk')).toBe('10')
  })
})
