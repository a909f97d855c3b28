import { Analytics } from '@customerio/cdp-analytics-node'
import { PipelinesClient, type PipelinesContext } from 'customerio-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { iosToken } from '../test/system.ts'
import { openWorld, type World } from './world.ts'

let world: World

beforeAll(async () => {
  world = await openWorld()
})

afterAll(() => world?.[Symbol.asyncDispose]())

/** Its types know of no device; what it sends does. */
type DeviceContext = PipelinesContext & { device: { token: string; type: string } }
const device = (token: string) => ({ device: { token, type: 'ios' } })
const context = (token: string): DeviceContext => device(token)

describe('PipelinesClient of customerio-node', () => {
  let client: PipelinesClient
  let strict: PipelinesClient

  beforeAll(() => {
    const { registry_url, public_key } = world.system.local
    const url = `${registry_url}/v1`
    client = new PipelinesClient(public_key, { url })
    strict = new PipelinesClient(public_key, { url, strictMode: true })
  })

  test('identify, track, page, screen, group, alias: each is stored', async () => {
    await client.track({ anonymousId: 'pc-phone', event: 'installed' })
    expect(await client.identify({ userId: 'pc', traits: { plan: 'pro', n: { a: [1] } } })).toEqual(
      {},
    )
    expect(await client.alias({ userId: 'pc', previousId: 'pc-phone' })).toEqual({})
    expect(await client.track({ userId: 'pc', event: 'bought', properties: { n: 1 } })).toEqual({})
    expect(await client.page({ userId: 'pc', name: 'Start' })).toEqual({})
    expect(await client.screen({ userId: 'pc', name: 'Home' })).toEqual({})
    expect(await client.group({ userId: 'pc', groupId: 'g', traits: { a: 1 } })).toEqual({})
    expect(await world.attributes('pc')).toEqual({ plan: 'pro', n: { a: [1] } })
    expect(await world.events('pc')).toMatchObject([
      { name: 'installed', type: 'event', anonymous_id: 'pc-phone' },
      { name: 'bought', type: 'event', properties: { n: 1 } },
      { name: 'Start', type: 'page' },
      { name: 'Home', type: 'screen' },
      { name: 'g', type: 'group', properties: { a: 1 } },
    ])
  })

  test('batch: people, devices and events in their order', async () => {
    const token = iosToken()
    const answer = await client.batch([
      { type: 'identify', userId: 'pb', traits: { step: 1 } },
      {
        type: 'track',
        userId: 'pb',
        event: 'Device Created or Updated',
        context: context(token),
        properties: { push_enabled: 'true', app_version: '1.2.3' },
      },
      { type: 'identify', userId: 'pb', traits: { step: 2 } },
      { type: 'track', userId: 'pb', event: 'opened' },
    ])
    expect(answer).toEqual({})
    expect(await world.person('pb')).toMatchObject({
      attributes: { step: 2 },
      devices: [{ id: token, attributes: { app_version: '1.2.3', push_enabled: 'true' } }],
    })
    expect(await world.eventNames('pb')).toEqual(['opened'])
    await client.track({ userId: 'pb', event: 'Device Deleted', context: context(token) })
    expect(await world.device(token)).toBeNull()
  })

  test('Report Delivery Event counts for a push that went out', async () => {
    const token = iosToken()
    await client.track({
      userId: 'pm',
      event: 'Device Created or Updated',
      context: context(token),
    })
    const { messageId, deliveryId } = await world.push(token)
    const properties = { deliveryId, metric: 'opened', recipient: token }
    await strict.track({ anonymousId: deliveryId, event: 'Report Delivery Event', properties })
    expect(await world.receipts(messageId)).toMatchObject({ delivered: 1, opened: 1 })
  })

  test('a secret key as write key may also suppress, free and delete', async () => {
    const { registry_url, secret_key } = world.system.local
    const server = new PipelinesClient(secret_key, { url: `${registry_url}/v1`, strictMode: true })
    await server.identify({ userId: 'ps', traits: { a: 1 } })
    await server.track({ userId: 'ps', event: 'User Suppressed' })
    expect(await world.person('ps')).toMatchObject({ suppressed: true, attributes: {} })
    await server.track({ userId: 'ps', event: 'User Unsuppressed' })
    expect(await world.person('ps')).toMatchObject({ suppressed: false })
    await server.track({ userId: 'ps', event: 'User Deleted' })
    expect(await world.person('ps')).toBeNull()
    const app = strict.track({ userId: 'ps', event: 'User Deleted' })
    await expect(app).rejects.toMatchObject({ statusCode: 403 })
  })

  test('strict mode rejects what is wrong; without it nothing is said', async () => {
    const bad = { userId: 'bad', event: 'Device Created or Updated', context: context('zz zz') }
    await expect(strict.track(bad)).rejects.toMatchObject({
      statusCode: 400,
      message: expect.stringContaining('context.device.token'),
    })
    expect(await client.track(bad)).toEqual({})
    expect(await world.person('bad')).toBeNull()
    const { registry_url } = world.system.local
    const stranger = new PipelinesClient('bogus', { url: `${registry_url}/v1` })
    await expect(stranger.identify({ userId: 'x' })).rejects.toMatchObject({ statusCode: 401 })
  })
})

describe('@customerio/cdp-analytics-node', () => {
  function open(writeKey = world.system.local.public_key) {
    const errors: unknown[] = []
    const analytics = new Analytics({ writeKey, host: world.system.local.registry_url })
    analytics.on('error', (error) => errors.push(error))
    return { analytics, errors }
  }

  test('each method is a batch of one, and is stored', async () => {
    const { analytics, errors } = open()
    const token = iosToken()
    const userId = 'cdp'
    analytics.track({ anonymousId: 'cdp-phone', event: 'installed' })
    await analytics.closeAndFlush()
    const { analytics: next } = open()
    next.identify({ userId, anonymousId: 'cdp-phone', traits: { plan: 'pro' } })
    next.track({ userId, event: 'bought', properties: { n: 1 } })
    next.page({ userId, name: 'Start' })
    next.screen({ userId, name: 'Home' })
    next.group({ userId, groupId: 'g', traits: { a: 1 } })
    next.alias({ userId, previousId: 'cdp-other' })
    next.track({ userId, event: 'Device Created or Updated', context: device(token) })
    await next.closeAndFlush()
    expect(errors).toEqual([])
    expect(await world.person(userId)).toMatchObject({
      attributes: { plan: 'pro' },
      devices: [{ id: token }],
    })
    const events = await world.events(userId)
    expect(events?.[0]).toMatchObject({ name: 'installed', anonymous_id: 'cdp-phone' })
    expect(events?.map(({ name, type }) => `${type} ${name}`).toSorted()).toEqual([
      'event bought',
      'event installed',
      'group g',
      'page Start',
      'screen Home',
    ])

    const { analytics: last } = open()
    last.track({ userId, event: 'Device Deleted', context: device(token) })
    await last.closeAndFlush()
    expect(await world.device(token)).toBeNull()
  })

  test('a wrong key is an error, not an answer of success', async () => {
    const { analytics, errors } = open(`pk_${'x'.repeat(43)}`)
    analytics.identify({ userId: 'nobody', traits: {} })
    await analytics.closeAndFlush()
    expect(errors).toMatchObject([{ code: 'delivery_failure' }])
    expect(await world.person('nobody')).toBeNull()
  }, 60_000)

  test('what no key may do is an error at once', async () => {
    const { analytics, errors } = open()
    analytics.track({ userId: 'somebody', event: 'User Deleted' })
    await analytics.closeAndFlush()
    expect(errors).toMatchObject([{ code: 'delivery_failure' }])
  })
})
