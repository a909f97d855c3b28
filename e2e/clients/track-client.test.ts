import { Agent } from 'node:http'
import { CustomerIORequestError, IdentifierType, TrackClient } from 'customerio-node'
import {
  IdentifierType as IdentifierType44,
  TrackClient as TrackClient44,
} from 'customerio-node-4.4'
import {
  IdentifierType as IdentifierType45,
  TrackClient as TrackClient45,
} from 'customerio-node-4.5'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { androidToken, iosToken } from '../test/system.ts'
import { openWorld, type World } from './world.ts'

/** What the versions have in common. */
type Client = Pick<
  TrackClient,
  | 'identify'
  | 'destroy'
  | 'suppress'
  | 'unsuppress'
  | 'track'
  | 'trackAnonymous'
  | 'trackPageView'
  | 'trackPush'
  | 'addDevice'
  | 'deleteDevice'
>

interface Version {
  client: (key?: string) => Client
  merge: (primary: string, secondary: string) => Promise<object>
}

let world: World
let v5: TrackClient
const versions: Record<string, Version> = {}

beforeAll(async () => {
  world = await openWorld()
  const { registry_url, secret_key } = world.system.local
  // As the documentation has it, with our address in place of track.customer.io.
  const url = `${registry_url}/api/v1`
  const five = (key = secret_key) => new TrackClient('site', key, { url })
  v5 = five()
  // 4.x takes the host of `url` alone and insists on https, except by Node's own request options.
  const { port } = new URL(registry_url)
  const defaults = { url, protocol: 'http:', port, agent: new Agent() }
  const older =
    (TrackClient: typeof TrackClient45) =>
    (key = secret_key) =>
      new TrackClient('site', key, defaults)
  const [v45, v44] = [older(TrackClient45), older(TrackClient44)]
  versions['5.2'] = {
    client: five,
    merge: (a, b) => v5.mergeCustomers(IdentifierType.Id, a, IdentifierType.Id, b),
  }
  versions['4.5'] = {
    client: v45,
    merge: (a, b) => v45().mergeCustomers(IdentifierType45.Id, a, IdentifierType45.Id, b),
  }
  versions['4.4'] = {
    client: v44,
    merge: (a, b) => v44().mergeCustomers(IdentifierType44.Id, a, IdentifierType44.Id, b),
  }
})

afterAll(() => world?.[Symbol.asyncDispose]())

function versionOf(name: string): Version {
  const version = versions[name]
  if (!version) throw new Error(`no version ${name}`)
  return version
}

describe.each(['5.2', '4.5', '4.4'])('customerio-node %s', (name) => {
  test('identify adds and merges; ids are numbers, addresses, any text', async () => {
    const { client } = versionOf(name)
    const id = `ana ${name} / ü?#@x`
    expect(await client().identify(id, { plan: 'free', first_name: 'Ana' })).toEqual({})
    await client().identify(id, { plan: 'pro', first_name: '' })
    expect(await world.attributes(id)).toEqual({ plan: 'pro' })
    const number = Number(`7${name.replace('.', '')}`)
    await client().identify(number, { email: `${number}@example.com` })
    await client().identify(`${number}@EXAMPLE.com`, { found: true })
    expect(await world.attributes(String(number))).toMatchObject({ found: true })
    await client().identify(number)
  })

  test('addDevice and deleteDevice change the device of the person', async () => {
    const { client } = versionOf(name)
    const id = `device ${name}`
    for (const [platform, token] of [
      ['ios', iosToken()],
      ['android', androidToken()],
    ] as const) {
      const data = { last_used: 1_700_000_000, theme: 'dark', push_enabled: 'true' }
      expect(await client().addDevice(id, token, platform, data)).toEqual({})
      expect(await world.device(token)).toMatchObject({
        person_id: id,
        platform,
        last_used: 1_700_000_000,
        attributes: { theme: 'dark', push_enabled: 'true', _last_status: '' },
      })
      await client().addDevice(id, token, platform, { theme: 'light' })
      expect(await world.device(token)).toMatchObject({ attributes: { theme: 'light' } })
      expect((await world.person(id)).devices).toMatchObject([{ id: token }])
      await client().deleteDevice('somebody else', token)
      expect(await world.device(token)).not.toBeNull()
      expect(await client().deleteDevice(id, token)).toEqual({})
      expect(await world.device(token)).toBeNull()
    }
  })

  test('track, trackPageView and trackAnonymous store what was done', async () => {
    const { client } = versionOf(name)
    const id = `events ${name}`
    const data = { price: 3, items: [{ id: 1 }] }
    await client().trackAnonymous(`browser ${name}`, { name: 'looked', timestamp: 1_700_000_000 })
    await client().track(id, { name: 'bought', data, timestamp: 1_700_000_001 })
    await client().trackPageView(id, '/thanks')
    await client().identify(id, { anonymous_id: `browser ${name}` })
    expect(await world.events(id)).toMatchObject([
      { name: 'looked', type: 'event', anonymous_id: `browser ${name}` },
      { name: 'bought', type: 'event', properties: data, timestamp: '2023-11-14T22:13:21.000Z' },
      { name: '/thanks', type: 'page' },
    ])
  })

  test('suppress erases and blocks, unsuppress frees, destroy deletes', async () => {
    const { client } = versionOf(name)
    const id = `gone ${name}`
    await client().identify(id, { a: 1 })
    expect(await client().suppress(id)).toEqual({})
    await client().identify(id, { a: 1 })
    expect(await world.person(id)).toMatchObject({ suppressed: true, attributes: {} })
    expect(await client().unsuppress(id)).toEqual({})
    await client().identify(id, { a: 2 })
    expect(await world.person(id)).toMatchObject({ suppressed: false, attributes: { a: 2 } })
    expect(await client().destroy(id)).toEqual({})
    expect(await world.person(id)).toBeNull()
  })

  test('mergeCustomers makes one of two', async () => {
    const { client, merge } = versionOf(name)
    const [kept, double] = [`kept ${name}`, `double ${name}`]
    const token = iosToken()
    await client().identify(kept, { a: 1 })
    await client().identify(double, { a: 2, b: 2 })
    await client().addDevice(double, token, 'ios')
    await client().track(double, { name: 'seen' })
    expect(await merge(kept, double)).toEqual({})
    expect(await world.person(kept)).toMatchObject({
      attributes: { a: 1, b: 2 },
      devices: [{ id: token }],
    })
    expect(await world.person(double)).toBeNull()
    expect(await world.eventNames(kept)).toEqual(['seen'])
  })

  test('trackPush tells what a phone saw of a push that really went out', async () => {
    const { client } = versionOf(name)
    const token = iosToken()
    await client().addDevice(`push ${name}`, token, 'ios')
    const { messageId, deliveryId, deliveryToken } = await world.push(token)
    expect(deliveryToken).toBe(token)
    const report = { delivery_id: deliveryId, device_id: deliveryToken, timestamp: 1 }
    expect(await client().trackPush({ ...report, event: 'opened' })).toEqual({})
    expect(await world.receipts(messageId)).toMatchObject({ delivered: 1, opened: 1, converted: 0 })
    expect(await world.device(token)).toMatchObject({ attributes: { _last_status: 'sent' } })
  })

  test('errors say what is wrong', async () => {
    const { client } = versionOf(name)
    const bad = client().addDevice('bad', 'not a token', 'ios')
    await expect(bad).rejects.toMatchObject({
      statusCode: 400,
      message: expect.stringContaining('device.id must be the hexadecimal APNs device token'),
    })
    const stranger = client(`sk_${'x'.repeat(43)}`).identify('1', {})
    await expect(stranger).rejects.toMatchObject({ statusCode: 401 })
  })
})

describe('customerio-node 5.2 alone', () => {
  test('entity and batch speak v2; a batch tells which items were refused', async () => {
    const token = iosToken()
    const person = { type: 'person', identifiers: { id: 'v2' } }
    expect(await v5.entity({ ...person, action: 'identify', attributes: { a: 1 } })).toEqual({})
    const answer = await v5.batch([
      { ...person, action: 'identify', attributes: { b: 2 } },
      { ...person, action: 'add_device', device: { token, platform: 'ios' } },
      { ...person, action: 'add_device', device: { token: 'x', platform: 'ios' } },
      { ...person, action: 'event', name: 'bought', attributes: { n: 1 } },
    ])
    expect(answer).toMatchObject({
      errors: [{ batch_index: 2, reason: 'invalid', field: 'device.token' }],
    })
    expect(await world.person('v2')).toMatchObject({
      attributes: { a: 1, b: 2 },
      devices: [{ id: token }],
    })
    expect(await world.events('v2')).toMatchObject([{ name: 'bought', properties: { n: 1 } }])
    expect(await v5.batch([{ ...person, action: 'delete_device', device: { token } }])).toEqual({})
    expect(await world.device(token)).toBeNull()
  })

  test('reportMetric counts', async () => {
    const token = androidToken()
    await v5.addDevice('metric', token, 'android')
    const { messageId, deliveryId } = await world.push(token)
    const report = { delivery_id: deliveryId, recipient: token, timestamp: 1_700_000_000 }
    expect(await v5.reportMetric({ ...report, metric: 'delivered' })).toEqual({})
    await v5.reportMetric({ ...report, metric: 'converted' })
    expect(await world.receipts(messageId)).toMatchObject({ delivered: 1, converted: 1, opened: 0 })
  })

  test('addDevice with last_used of zero keeps it', async () => {
    const token = iosToken()
    await v5.addDevice('zero', token, 'ios', { last_used: 0 })
    expect(await world.device(token)).toMatchObject({ last_used: 0 })
  })

  test('getAccountRegion tells our address', async () => {
    expect(await v5.getAccountRegion()).toMatchObject({
      url: world.system.local.registry_url,
      region: 'us',
      environment_id: expect.any(Number),
    })
  })

  test.each<[string, (client: TrackClient) => Promise<object>]>([
    ['addCustomersToSegment', (client) => client.addCustomersToSegment(1, ['1'])],
    ['removeCustomersFromSegment', (client) => client.removeCustomersFromSegment(1, ['1'])],
    ['submitForm', (client) => client.submitForm('f', { email: 'a@example.com' })],
    ['unsubscribe', (client) => client.unsubscribe('delivery')],
  ])('%s is refused in words', async (_name, call) => {
    await expect(call(v5)).rejects.toThrow(/Pushkeep has no such thing/)
    await expect(call(v5)).rejects.toBeInstanceOf(CustomerIORequestError)
  })
})
