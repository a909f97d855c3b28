import { describe, expect, test } from 'vitest'
import { lastSent, newPhone, phone, sent } from './harness.ts'

describe('one person at a time', () => {
  test('identify ties the token that came before it', async () => {
    const app = newPhone()
    await app.client.registerDeviceToken('T1')
    await app.client.identify('ana', { first_name: 'Ana' })
    await app.client.flush()
    expect(app.server.stored()).toEqual({
      people: { ana: { first_name: 'Ana' } },
      devices: { T1: { owner: 'ana', attributes: phone.attributes } },
      events: [],
    })
  })

  test('a token that comes after identify belongs to the person', async () => {
    const app = newPhone()
    await app.client.identify('ana')
    await app.client.registerDeviceToken('T1')
    await app.client.flush()
    expect(app.server.stored().devices).toMatchObject({ T1: { owner: 'ana' } })
  })

  test('identify of another person forgets the first: events, attributes and the token follow', async () => {
    const app = newPhone()
    await app.client.registerDeviceToken('T1')
    await app.client.identify('ana')
    await app.client.track('of ana')
    await app.client.identify('ben')
    await app.client.track('of ben')
    await app.client.setProfileAttributes({ plan: 'pro' })
    await app.client.flush()
    expect(app.server.stored()).toMatchObject({
      people: { ana: {}, ben: { plan: 'pro' } },
      devices: { T1: { owner: 'ben' } },
      events: [
        ['of ana', 'ana'],
        ['of ben', 'ben'],
      ],
    })
    // Untied first: free even if the tie to the next one should be refused.
    expect(sent(app)).toEqual([
      'track Device Created or Updated by nobody',
      'identify by ana',
      'track Device Created or Updated by ana',
      'track of ana by ana',
      'track Device Created or Updated by nobody',
      'identify by ben',
      'track Device Created or Updated by ben',
      'track of ben by ben',
      'identify by ben',
    ])
  })

  test('clearIdentify unties the token, and later events are nobody’s', async () => {
    const app = newPhone()
    await app.client.registerDeviceToken('T1')
    await app.client.identify('ana')
    await app.client.clearIdentify()
    await app.client.track('of nobody')
    await app.client.flush()
    expect(app.server.stored().devices).toMatchObject({ T1: { owner: null } })
    expect(app.server.events).toMatchObject([{ owner: expect.stringMatching(/^id-/) }])
    await app.client.clearIdentify()
    expect(sent(app)).toHaveLength(5)
  })

  test('the person is remembered across launches', async () => {
    const app = newPhone()
    await app.client.identify('ana')
    await app.client.registerDeviceToken('T1')
    app.relaunch()
    await app.client.track('after')
    await app.client.flush()
    expect(app.server.stored().events).toEqual([['after', 'ana']])
  })

  test('each launch tells the server that the device is in use, once', async () => {
    const app = newPhone()
    await app.client.registerDeviceToken('T1')
    await app.client.flush()
    app.relaunch()
    await app.client.registerDeviceToken('T1')
    await app.client.registerDeviceToken('T1')
    await app.client.flush()
    expect(sent(app)).toHaveLength(2)
  })

  test('identifying the same person again says nothing new, but attributes that changed', async () => {
    const app = newPhone()
    await app.client.registerDeviceToken('T1')
    await app.client.identify('ana', { a: 1 })
    await app.client.identify('ana')
    await app.client.identify('ana', {})
    await app.client.identify('ana', { a: 2 })
    await app.client.flush()
    expect(sent(app).slice(3)).toEqual(['identify by ana'])
    app.relaunch()
    await app.client.identify('ana')
    await app.client.flush()
    // A launch says it again: the person may have been deleted meanwhile.
    expect(sent(app).slice(4)).toEqual([
      'track Device Created or Updated by ana',
      'identify by ana',
    ])
  })

  test('events of nobody become those of the next person, and of nobody after', async () => {
    const app = newPhone()
    await app.client.track('before ana')
    await app.client.identify('ana')
    await app.client.clearIdentify()
    await app.client.track('between')
    await app.client.identify('ben')
    await app.client.identify('cem')
    await app.client.flush()
    expect(app.server.stored().events).toEqual([
      ['before ana', 'ana'],
      ['between', 'ben'],
    ])
    const anonymous = app.server.batches.flat().map(({ anonymousId }) => anonymousId)
    // Of ben straight to cem, no time was nobody's.
    expect(anonymous.at(-1)).toBeUndefined()
  })

  test('attributes told before there is a person are those of the next one', async () => {
    const app = newPhone()
    await app.client.setProfileAttributes({ a: 1, b: 1 })
    await app.client.identify({ userId: 'ana', traits: { b: 2 } })
    await app.client.flush()
    expect(app.server.stored().people).toEqual({ ana: { a: 1, b: 2 } })
    await app.client.identify({ traits: { c: 3 } })
    await app.client.flush()
    expect(app.server.stored().people).toEqual({ ana: { a: 1, b: 2, c: 3 } })
  })
})

describe('the device', () => {
  test('attributes of a device without a token wait for it', async () => {
    const app = newPhone()
    await app.client.setDeviceAttributes({ theme: 'dark', nested: { a: [1] } })
    await app.client.flush()
    expect(sent(app)).toEqual([])
    await app.client.registerDeviceToken('T1')
    await app.client.flush()
    const attributes = { ...phone.attributes, theme: 'dark', nested: { a: [1] } }
    expect(app.server.stored().devices).toEqual({ T1: { owner: null, attributes } })
  })

  test('a new token takes the place of the old one', async () => {
    const app = newPhone()
    await app.client.identify('ana')
    await app.client.registerDeviceToken('T1')
    await app.client.registerDeviceToken('T2')
    await app.client.flush()
    expect(app.server.stored().devices).toMatchObject({ T2: { owner: 'ana' } })
    expect([...app.server.devices.keys()]).toEqual(['T2'])
  })

  test('deleteDeviceToken deletes it; it comes back with the next registration', async () => {
    const app = newPhone()
    await app.client.registerDeviceToken('T1')
    await app.client.identify('ana')
    await app.client.deleteDeviceToken()
    await app.client.flush()
    expect(app.server.stored().devices).toEqual({})
    await app.client.deleteDeviceToken()
    await app.client.registerDeviceToken('T1')
    await app.client.flush()
    expect(app.server.stored().devices).toMatchObject({ T1: { owner: 'ana' } })
  })

  test('what the phone says of itself is told again when it changes', async () => {
    const app = newPhone()
    await app.client.registerDeviceToken('T1')
    await app.client.updateDevice({ ...phone })
    await app.client.updateDevice({ ...phone, attributes: { push_enabled: false } })
    await app.client.flush()
    expect(sent(app)).toHaveLength(2)
    expect(app.server.stored().devices).toMatchObject({
      T1: { attributes: { push_enabled: false } },
    })
  })

  test('names its platform, environment and installation', async () => {
    const app = newPhone()
    await app.client.registerDeviceToken('T1')
    await app.client.flush()
    expect(lastSent(app)?.context?.device).toEqual({
      type: 'ios',
      token: 'T1',
      environment: 'sandbox',
      installationId: expect.any(String),
      installationSecret: expect.any(String),
    })
  })

  test('a store that came along from another phone begins a new installation of the same person', async () => {
    const app = newPhone({ phoneMark: 'first phone' })
    await app.client.registerDeviceToken('T1')
    await app.client.identify('ana')
    await app.client.flush()
    // A launch at which the system does not tell it is no other phone, and forgets nothing.
    app.relaunch({ phoneMark: null })
    await app.client.flush()
    expect(app.server.devices.size).toBe(1)
    app.relaunch({ phoneMark: 'second phone' })
    await app.client.registerDeviceToken('T2')
    await app.client.flush()
    // The first phone keeps its pushes.
    expect(app.server.stored().devices).toMatchObject({
      T1: { owner: 'ana' },
      T2: { owner: 'ana' },
    })
    app.relaunch({ phoneMark: 'second phone' })
    await app.client.flush()
    expect(app.server.devices.size).toBe(2)
  })

  test('without a device, a token is refused by a rejection, and everything else works', async () => {
    const app = newPhone({ device: undefined as never })
    await expect(app.client.registerDeviceToken('T1')).rejects.toThrow(TypeError)
    await app.client.identify('ana')
    await app.client.flush()
    expect(app.server.stored().people).toEqual({ ana: {} })
  })

  test('an opened push is told once, whoever tells it how often', async () => {
    const app = newPhone()
    const metric = { deliveryID: 'd1', deviceToken: 'T1', event: 'opened' } as const
    await app.client.trackMetric(metric)
    app.relaunch()
    await app.client.trackMetric(metric)
    await app.client.trackMetric({ ...metric, event: 'delivered' })
    await app.client.flush()
    expect(app.server.events.map(({ properties }) => properties)).toEqual([
      { deliveryId: 'd1', recipient: 'T1', metric: 'opened' },
      { deliveryId: 'd1', recipient: 'T1', metric: 'delivered' },
    ])
  })
})

describe('arguments', () => {
  test.each([
    ['an empty id', (app) => app.client.identify('')],
    ['null', (app) => app.client.identify(null as never)],
    ['an id that is too long', (app) => app.client.identify('ü'.repeat(76))],
    ['neither id nor traits', (app) => app.client.identify({})],
    ['an event without a name', (app) => app.client.track(' ')],
    ['a screen without a title', (app) => app.client.screen('')],
    ['a token that is none', (app) => app.client.registerDeviceToken('')],
    ['attributes that are a list', (app) => app.client.setProfileAttributes([] as never)],
    ['a bigint', (app) => app.client.track('x', { n: 1n })],
    ['a circle', (app) => app.client.track('x', circle())],
    ['a key that poisons', (app) => app.client.track('x', JSON.parse('{"a":{"__proto__":1}}'))],
    ['a call over 32 KB', (app) => app.client.track('x', { text: 'y'.repeat(33_000) })],
    ['an unknown metric', (app) => app.client.trackMetric({ ...metric, event: 'seen' as never })],
  ] as [string, (app: ReturnType<typeof newPhone>) => Promise<void>][])(
    '%s: a TypeError, and nothing is queued',
    async (_name, call) => {
      const app = newPhone()
      await expect(call(app)).rejects.toThrow(TypeError)
      await app.client.flush()
      expect(sent(app)).toEqual([])
    },
  )

  test('what changes after the call does not change the call', async () => {
    const app = newPhone()
    const attributes: { list: number[] } = { list: [1] }
    const call = app.client.track('x', attributes)
    attributes.list.push(2)
    await call
    await app.client.flush()
    expect(app.server.events).toMatchObject([{ properties: { list: [1] } }])
  })
})

const metric = { deliveryID: 'd', deviceToken: 't' }

function circle() {
  const one: { [key: string]: unknown } = {}
  one.self = one
  return one
}
