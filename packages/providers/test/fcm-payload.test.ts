import { describe, expect, test } from 'vitest'
import { renderFcm } from '../src/fcm/payload.ts'
import type { MessageToRender } from '../src/provider.ts'
import { bodyFor } from '../src/spliced.ts'
import { message, noon } from './messages.ts'

const id = '0193575e-0000-7000-8000-000000000001'

function bodyOf(rendered: MessageToRender, now = noon): { message: Record<string, unknown> } {
  return JSON.parse(bodyFor(renderFcm(rendered, now).body, 'a:token').toString('utf8'))
}

test('a message with text has a part for each platform', () => {
  expect(bodyOf(message())).toEqual({
    message: {
      token: 'a:token',
      data: { pushkeep_message_id: id },
      notification: { title: 'Hello', body: 'World' },
      android: { priority: 'HIGH', ttl: '3600s', collapse_key: id, notification: { tag: id } },
      apns: {
        headers: {
          'apns-push-type': 'alert',
          'apns-priority': '10',
          'apns-expiration': String(noon / 1000 + 3600),
          'apns-collapse-id': id,
        },
        payload: { aps: {} },
      },
    },
  })
})

test('every part of the content has its place, and data is text', () => {
  const content = {
    title: 'Hello',
    body: 'Zoë 👋',
    image_url: 'https://example.com/a.png',
    link: 'app://orders/7',
    badge: 3,
    sound: 'chime',
    data: { order: 7, open: true, none: null, nested: { deep: [1] }, text: 'as it is' },
  }
  const { message: sent } = bodyOf(message({ content }))
  expect(sent).toMatchObject({
    data: {
      order: '7',
      open: 'true',
      none: 'null',
      nested: '{"deep":[1]}',
      text: 'as it is',
      link: 'app://orders/7',
      pushkeep_message_id: id,
    },
    notification: { title: 'Hello', body: 'Zoë 👋', image: 'https://example.com/a.png' },
    android: { notification: { tag: id, sound: 'chime', notification_count: 3 } },
    apns: { payload: { aps: { badge: 3, sound: 'chime', 'mutable-content': 1 } } },
  })
})

test('a message without text is a data message, on iOS a background push', () => {
  const { message: sent } = bodyOf(message({ content: { data: { sync: 1 } }, priority: 'normal' }))
  expect(sent).toEqual({
    token: 'a:token',
    data: { sync: '1', pushkeep_message_id: id },
    // No collapse key of ours: FCM would keep four of its messages for a device that is away.
    android: { priority: 'NORMAL', ttl: '3600s' },
    apns: {
      headers: {
        'apns-push-type': 'background',
        'apns-priority': '5',
        'apns-expiration': String(noon / 1000 + 3600),
        'apns-collapse-id': id,
      },
      payload: { aps: { 'content-available': 1 } },
    },
  })
})

test('a badge alone is an alert without text on iOS', () => {
  const { message: sent } = bodyOf(message({ content: { badge: 0 } }))
  expect(sent).not.toHaveProperty('notification')
  expect(sent.apns).toMatchObject({
    headers: { 'apns-push-type': 'alert', 'apns-priority': '10' },
    payload: { aps: { badge: 0 } },
  })
})

test("a data message has the caller's own collapse key", () => {
  const { message: sent } = bodyOf(message({ content: { data: {} }, collapseId: 'score' }))
  expect(sent.android).toMatchObject({ collapse_key: 'score' })
})

test('the time to live is what remains', () => {
  const ttl = (parts: Partial<MessageToRender>, now: number) =>
    bodyOf(message(parts), now).message.android
  expect(ttl({}, noon + 600_500)).toMatchObject({ ttl: '2999s' })
  expect(ttl({}, noon + 3_700_000)).toMatchObject({ ttl: '0s' })
  expect(ttl({ ttlSeconds: 0, expiresAt: noon + 60_000 }, noon)).toMatchObject({ ttl: '0s' })
  const long = { ttlSeconds: 40 * 86_400, expiresAt: noon + 40 * 86_400_000 }
  expect(ttl(long, noon)).toMatchObject({ ttl: '2419200s' })
})

test('an override is merged one level deep, in either spelling', () => {
  const { message: sent } = bodyOf(
    message({
      fcm: {
        data: { extra: 5 },
        notification: { body: 'Other' },
        android: { collapseKey: 'theirs', direct_boot_ok: true },
        fcm_options: { analytics_label: 'spring' },
      },
    }),
  )
  expect(sent).toMatchObject({
    data: { pushkeep_message_id: id, extra: '5' },
    notification: { title: 'Hello', body: 'Other' },
    android: { priority: 'HIGH', collapseKey: 'theirs', direct_boot_ok: true },
    fcm_options: { analytics_label: 'spring' },
  })
  expect(sent.android).not.toHaveProperty('collapse_key')
})

test('the token cannot leave its place in the body', () => {
  const { body } = renderFcm(message({ sdkKeys: true }), noon)
  for (const token of ['x', 'a"b', '\\', '","topic":"all', 'ü\n']) {
    expect(JSON.parse(bodyFor(body, token).toString('utf8')).message).toMatchObject({
      token,
      data: { 'CIO-Delivery-Token': token },
    })
  }
})

describe("with the keys of Customer.io's SDKs", () => {
  const sdkKeys = true
  const content = { title: 'Hello', image_url: 'https://example.com/a.png', link: 'app://7' }

  test('data names message and device, and image and link for Android', () => {
    const { message: sent } = bodyOf(message({ content, sdkKeys }))
    expect(sent).toMatchObject({
      token: 'a:token',
      data: {
        'CIO-Delivery-ID': 'AZNXXgAAcACAAAAAAAAAAQ',
        'CIO-Delivery-Token': 'a:token',
        image: 'https://example.com/a.png',
        link: 'app://7',
        pushkeep_message_id: id,
      },
      notification: { title: 'Hello' },
    })
  })

  test('on iOS, rich push finds its part beside aps and the service extension is woken', () => {
    const { message: sent } = bodyOf(message({ content, sdkKeys }))
    expect(sent.apns).toMatchObject({
      payload: {
        CIO: { push: { image: 'https://example.com/a.png', link: 'app://7' } },
        aps: { 'mutable-content': 1 },
      },
    })
    const plain = bodyOf(message({ sdkKeys })).message.apns
    expect(plain).toMatchObject({ payload: { aps: { 'mutable-content': 1 } } })
    expect(plain).not.toHaveProperty('payload.CIO')
  })

  test('a data message has none of them: the SDK would show it, empty', () => {
    const silent = message({ content: { data: { sync: 1 } } })
    expect(bodyOf({ ...silent, sdkKeys })).toEqual(bodyOf(silent))
  })

  test("a notification that comes with the caller's parts alone has them", () => {
    const own = message({ content: undefined, fcm: { notification: { title: 'Hi' } }, sdkKeys })
    expect(bodyOf(own).message.data).toMatchObject({ 'CIO-Delivery-Token': 'a:token' })
  })

  test("the caller's own keys stay", () => {
    const data = { 'CIO-Delivery-ID': 'mine', 'CIO-Delivery-Token': 'mine', image: 'mine' }
    const asContent = message({ content: { ...content, data }, sdkKeys })
    const asOverride = message({ content, fcm: { data }, sdkKeys })
    for (const one of [asContent, asOverride]) expect(bodyOf(one).message.data).toMatchObject(data)
  })
})
