import { expect, test } from 'vitest'
import type { DeviceFacts, SdkError } from '../src/core/index.ts'
import { type CustomerIOConfig, createCustomerIO } from '../src/expo/customer-io.ts'
import type { Phone, PushData } from '../src/expo/phone-interface.ts'
import { FakeServer } from './fake-server.ts'
import { memoryStore } from './harness.ts'
import { idle, ManualTime } from './time.ts'

type Listeners = {
  token: (token: string) => void
  use: Parameters<Phone['onUse']>[0]
  push: Parameters<Phone['onPush']>[0]
}

/** A phone that a test holds in its hand, with the SDK on it. */
function newApp(phone: Partial<Phone> = {}) {
  const server = new FakeServer()
  const time = new ManualTime()
  server.now = time.now
  const errors: SdkError[] = []
  const heard: Partial<Listeners> = {}
  const facts: DeviceFacts = {
    platform: 'android',
    attributes: { device_model: 'Pixel 8', push_enabled: 'false' },
  }
  const whole: Phone = {
    facts: async () => structuredClone(facts),
    mark: async () => 'this phone',
    token: async () => 'T1',
    permission: async () => 'NOTDETERMINED',
    askPermission: async () => 'GRANTED',
    onToken: (listener) => {
      heard.token = listener
    },
    onUse: (listeners) => {
      heard.use = listeners
    },
    onPush: (listeners) => {
      heard.push = listeners
    },
    ...phone,
  }
  let ids = 0
  const { setTimer, clearTimer, now } = time
  const engine = { fetch: server.fetch, random: () => 0, newId: () => `i${++ids}` }
  const CustomerIO = createCustomerIO(whole, { engine: { ...engine, setTimer, clearTimer, now } })
  const config: CustomerIOConfig = {
    cdpApiKey: 'pk_test',
    apiHost: 'push.example.com',
    store: memoryStore(),
    onError: (error) => errors.push(error),
  }
  return { CustomerIO, config, server, time, errors, heard, facts }
}

const push: PushData = { deliveryId: 'd1', token: 'T1' }

test('before initialize, calls are refused in words', async () => {
  const { CustomerIO } = newApp()
  expect(CustomerIO.isInitialized()).toBe(false)
  await expect(CustomerIO.track('x')).rejects.toThrow('initialize first')
  await expect(CustomerIO.identify('ana')).rejects.toThrow('initialize first')
})

test('calls made while it starts wait for it, in their order', async () => {
  const { CustomerIO, config, server } = newApp()
  const starting = CustomerIO.initialize(config)
  const calls = [CustomerIO.identify('ana'), CustomerIO.track('a'), CustomerIO.track('b')]
  await Promise.all([starting, ...calls])
  await CustomerIO.flush()
  expect(server.stored().events).toEqual([
    ['a', 'ana'],
    ['b', 'ana'],
  ])
})

test('initializing again changes nothing; a wrong configuration may be mended', async () => {
  const { CustomerIO, config, server } = newApp()
  await expect(CustomerIO.initialize({ ...config, apiHost: '' })).rejects.toThrow(TypeError)
  expect(CustomerIO.isInitialized()).toBe(false)
  await CustomerIO.initialize(config)
  await CustomerIO.initialize({ ...config, apiHost: 'other.example.com' })
  await CustomerIO.flush()
  expect(server.requests.map(([url]) => url)).toEqual(['https://push.example.com/v1/batch'])
})

test('the phone’s token is taken at launch, and each new one', async () => {
  const { CustomerIO, config, server, heard } = newApp()
  await CustomerIO.initialize(config)
  await idle()
  heard.token?.('T2')
  await CustomerIO.identify('ana')
  await CustomerIO.flush()
  expect(server.stored().devices).toMatchObject({
    T2: { owner: 'ana', attributes: { device_model: 'Pixel 8' } },
  })
  expect(server.devices.size).toBe(1)
})

test('push_enabled follows the permission: when the app comes back, and when it asks', async () => {
  const { CustomerIO, config, server, heard, facts } = newApp()
  await CustomerIO.initialize(config)
  await idle()
  const enabled = () => server.devices.get('T1')?.attributes.push_enabled
  await CustomerIO.flush()
  expect(enabled()).toBe('false')
  facts.attributes.push_enabled = 'true'
  heard.use?.foreground()
  await idle()
  expect(enabled()).toBe('true')
  facts.attributes.push_enabled = 'false'
  expect(await CustomerIO.pushMessaging.showPromptForPushNotifications()).toBe('GRANTED')
  await CustomerIO.flush()
  expect(enabled()).toBe('false')
})

test('what waits is sent when the app leaves the front', async () => {
  const { CustomerIO, config, server, heard } = newApp({ token: async () => null })
  await CustomerIO.initialize(config)
  await CustomerIO.track('x')
  heard.use?.background()
  await idle()
  expect(server.events).toHaveLength(1)
})

test('pushes are reported as delivered and opened; those of others are not', async () => {
  const { CustomerIO, config, server, heard } = newApp()
  await CustomerIO.initialize(config)
  await CustomerIO.identify('ana')
  heard.push?.received(push)
  heard.push?.opened(push)
  heard.push?.opened(push)
  heard.push?.received(null)
  await idle()
  await CustomerIO.pushMessaging.trackNotificationReceived({ title: 'of others' })
  const payload = { 'CIO-Delivery-ID': 'd2', 'CIO-Delivery-Token': 'T1' }
  await CustomerIO.pushMessaging.trackNotificationResponseReceived(payload)
  await CustomerIO.flush()
  expect(server.events.map(({ owner, properties }) => [owner, properties])).toEqual([
    ['ana', { metric: 'delivered', deliveryId: 'd1', recipient: 'T1' }],
    ['ana', { metric: 'opened', deliveryId: 'd1', recipient: 'T1' }],
    ['ana', { metric: 'opened', deliveryId: 'd2', recipient: 'T1' }],
  ])
})

test('what it does by itself can be left to the app', async () => {
  const { CustomerIO, config, server, heard } = newApp()
  await CustomerIO.initialize({
    ...config,
    autoRegisterDeviceToken: false,
    autoTrackDeviceAttributes: false,
    autoTrackPushEvents: false,
  })
  await idle()
  await CustomerIO.registerDeviceToken('mine')
  await CustomerIO.flush()
  expect(heard).toEqual({ use: expect.anything() })
  expect(server.stored().devices).toEqual({
    mine: { owner: null, attributes: { push_enabled: 'false' } },
  })
})

test('a phone that tells nothing costs its token, and no call', async () => {
  const fail = () => Promise.reject(new Error('not in this simulator'))
  const { CustomerIO, config, server, errors } = newApp({ facts: fail, mark: fail, token: fail })
  await CustomerIO.initialize(config)
  await CustomerIO.identify('ana')
  await CustomerIO.flush()
  expect(server.people.has('ana')).toBe(true)
  expect(errors.map(({ kind }) => kind)).toEqual(['device', 'device', 'device'])
})

test('in a browser there is no token, and everything else', async () => {
  const { CustomerIO, config, server, errors } = newApp({
    facts: async () => null,
    mark: async () => null,
    token: async () => null,
  })
  await CustomerIO.initialize(config)
  await CustomerIO.identify('ana')
  await CustomerIO.flush()
  expect([server.people.has('ana'), server.devices.size, errors]).toEqual([true, 0, []])
  expect(await CustomerIO.getDevice()).toBeNull()
})
