import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { androidToken, iosToken } from '../test/system.ts'
import { exchange, type Item, Phone, type Platform } from './mobile-sdk.ts'
import { openWorld, type World } from './world.ts'

/**
 * What Customer.io's mobile SDKs send, by their sources: no such SDK runs here. Each scene asserts what
 * is stored, and that the phone is told what makes it forget what it sent.
 */

let world: World

beforeAll(async () => {
  world = await openWorld()
})

afterAll(() => world?.[Symbol.asyncDispose]())

const taken = { status: 200, body: '{}' }
const newToken = (platform: Platform) => (platform === 'ios' ? iosToken() : androidToken())
const platforms: Platform[] = ['ios', 'android']

function newPhone(platform: Platform): Phone {
  const { registry_url, public_key } = world.system.local
  return new Phone(registry_url, public_key, platform)
}

describe.each(platforms)('the present SDK on %s', (platform) => {
  let count = 0
  const name = (word: string) => `${word} ${platform} ${count++}`

  test('asks for its settings, and is told to send to us', async () => {
    const { registry_url, public_key } = world.system.local
    const { host } = new URL(registry_url)
    expect(await newPhone(platform).settings()).toEqual({
      integrations: {
        'Customer.io Data Pipelines': { apiKey: public_key, apiHost: `${host}/v1` },
      },
    })
  })

  test('first launch, token, login: what happened before is the person’s', async () => {
    const phone = newPhone(platform)
    const [ana, token] = [name('ana'), newToken(platform)]
    phone.track('Application Installed', { version: '1.2.3' })
    phone.identify(null, { colour: 'red', plan: 'none' })
    phone.registerToken(token)
    expect(await phone.flush()).toEqual(taken)
    expect(await world.device(token)).toMatchObject({ person_id: null, platform })
    phone.identify(ana, { plan: 'free', first_name: 'Ana' })
    phone.screen('Home')
    expect(await phone.flush()).toEqual(taken)
    expect(await world.person(ana)).toMatchObject({
      attributes: { colour: 'red', plan: 'free', first_name: 'Ana' },
      devices: [{ id: token }],
    })
    expect(await world.eventNames(ana)).toEqual(['Application Installed', 'Home'])
    const { attributes } = await world.device(token)
    expect(attributes).toMatchObject({
      device_os: platform === 'ios' ? '17.4' : '34',
      push_enabled: 'true',
      app_version: '1.2.3',
      _last_status: '',
    })
  })

  test('attributes of profile and device change by themselves', async () => {
    const phone = newPhone(platform)
    const [person, token] = [name('attributes'), newToken(platform)]
    phone.identify(person, { first_name: 'Dana' })
    phone.registerToken(token)
    phone.identify(person, { favorite_food: 'pizza' })
    phone.registerToken(token, { theme: { dark: true } })
    expect(await phone.flush()).toEqual(taken)
    expect(await world.attributes(person)).toEqual({ first_name: 'Dana', favorite_food: 'pizza' })
    expect((await world.device(token)).attributes).toMatchObject({ theme: { dark: true } })
  })

  test('B after A without a logout: token and events are B’s, A keeps what was A’s', async () => {
    const phone = newPhone(platform)
    const [a, b, token] = [name('a'), name('b'), newToken(platform)]
    phone.registerToken(token)
    phone.track('before anybody')
    phone.identify(a)
    phone.track('of a')
    phone.identify(b)
    phone.track('of b')
    expect(await phone.flush()).toEqual(taken)
    expect(await world.eventNames(a)).toEqual(['before anybody', 'of a'])
    expect(await world.eventNames(b)).toEqual(['of b'])
    expect(await world.device(token)).toMatchObject({ person_id: b })
  })

  test('logout and the next login', async () => {
    const phone = newPhone(platform)
    const [a, c, token] = [name('a'), name('c'), newToken(platform)]
    phone.identify(a)
    phone.registerToken(token)
    phone.clearIdentify()
    phone.track('alone')
    expect(await phone.flush()).toEqual(taken)
    expect(await world.device(token)).toBeNull()
    expect(await world.eventNames(a)).toEqual([])
    phone.identify(c)
    expect(await phone.flush()).toEqual(taken)
    expect(await world.device(token)).toMatchObject({ person_id: c })
    expect(await world.eventNames(c)).toEqual(['alone'])
  })

  test('a new token replaces the old one', async () => {
    const phone = newPhone(platform)
    const [person, before, after] = [name('rotated'), newToken(platform), newToken(platform)]
    phone.identify(person)
    phone.registerToken(before)
    phone.registerToken(after)
    expect(await phone.flush()).toEqual(taken)
    expect((await world.person(person)).devices).toMatchObject([{ id: after }])
  })

  test('files that are uploaded at once, and again, end as what the phone did', async () => {
    for (let round = 0; round < 10; round += 1) {
      const phone = newPhone(platform)
      const [a, b, token] = [name('a'), name('b'), newToken(platform)]
      const files: Item[][] = []
      phone.identify(a, { n: 1, city: 'Oslo' })
      phone.registerToken(token)
      files.push(phone.take())
      phone.identify(a, { n: 2 })
      phone.track('of a')
      files.push(phone.take())
      phone.clearIdentify()
      files.push(phone.take())
      phone.identify(b)
      phone.track('of b')
      files.push(phone.take())
      // The last first, each of them sent twice: an answer was lost.
      const order = [...files.toReversed(), ...files]
      const answers = await Promise.all(order.map((file) => phone.upload(file)))
      for (const answer of answers) expect(answer).toEqual(taken)
      expect(await world.device(token)).toMatchObject({ person_id: b })
      expect(await world.attributes(a)).toEqual({ n: 2, city: 'Oslo' })
      expect(await world.eventNames(a)).toEqual(['of a'])
      expect(await world.eventNames(b)).toEqual(['of b'])
    }
  })

  test('a push that went out is reported delivered and opened', async () => {
    const phone = newPhone(platform)
    const [person, token] = [name('pushed'), newToken(platform)]
    phone.identify(person)
    phone.registerToken(token)
    await phone.flush()
    const { messageId, deliveryId, deliveryToken } = await world.push(token)
    expect(deliveryToken).toBe(token)
    phone.report('delivered', deliveryId, deliveryToken)
    phone.report('opened', deliveryId, deliveryToken)
    expect(await phone.flush()).toEqual(taken)
    expect(await world.receipts(messageId)).toMatchObject({ delivered: 1, opened: 1 })
    expect(await world.eventNames(person)).toEqual([])
  })

  test('a file that can never be taken gets 400, and is dropped; nothing else does', async () => {
    const { registry_url } = world.system.local
    const broken = await exchange(registry_url, {
      method: 'POST',
      path: '/v1/b',
      headers: { 'content-type': 'text/plain' },
      body: '{"batch":[',
    })
    expect(broken.status).toBe(400)
    const phone = newPhone(platform)
    phone.identify(name('bad'), { bad: 'half a character \ud800' })
    phone.track('good')
    expect(await phone.flush()).toEqual(taken)
    const stranger = new Phone(registry_url, `pk_${'x'.repeat(43)}`, platform)
    stranger.track('kept')
    expect((await stranger.flush()).status).toBe(401)
  })
})

describe('the SDKs of the generation before, which speak Track v1', () => {
  const send = (method: string, path: string, body?: object) => {
    const { registry_url, public_key } = world.system.local
    const authorization = `Basic ${Buffer.from(`siteid:${public_key}`).toString('base64')}`
    const text = body === undefined ? '' : JSON.stringify(body)
    return exchange(registry_url, {
      method,
      path,
      headers: {
        authorization,
        'content-type': 'application/json; charset=utf-8',
        'content-length': String(Buffer.byteLength(text)),
        'user-agent': 'Customer.io iOS Client/2.14.2 (iPhone; iOS 17.4) Shop/1.2.3',
      },
      body: text,
    })
  }

  test('identify, device, events, the switch to another person and the logout', async () => {
    const token = iosToken()
    const device = {
      id: token,
      platform: 'iOS',
      last_used: 1_700_000_000,
      attributes: { device_os: '17.4', push_enabled: 'true', cio_sdk_version: '2.14.2' },
    }
    const event = { type: 'event', name: 'bought', data: { n: 1 }, timestamp: 1_700_000_000 }
    for (const answer of [
      await send('PUT', '/api/v1/customers/old-a', { first_name: 'Ana' }),
      await send('PUT', '/api/v1/customers/old-a/devices', { device }),
      await send('POST', '/api/v1/customers/old-a/events', event),
      await send('DELETE', `/api/v1/customers/old-a/devices/${token}`),
      await send('PUT', '/api/v1/customers/old-b', {}),
      await send('PUT', '/api/v1/customers/old-b/devices', { device }),
    ]) {
      expect(answer).toEqual(taken)
    }
    expect(await world.device(token)).toMatchObject({ person_id: 'old-b', platform: 'ios' })
    expect(await world.eventNames('old-a')).toEqual(['bought'])
    expect(await send('DELETE', `/api/v1/customers/old-b/devices/${token}`)).toEqual(taken)
    expect(await world.device(token)).toBeNull()
  })

  test('Android may not know when the device was used', async () => {
    const token = androidToken()
    const device = { id: token, platform: 'android', last_used: null, attributes: {} }
    expect(await send('PUT', '/api/v1/customers/old-c/devices', { device })).toEqual(taken)
    expect(await world.device(token)).toMatchObject({ person_id: 'old-c' })
  })

  test('metrics go to the root', async () => {
    const token = iosToken()
    await send('PUT', '/api/v1/customers/old-d/devices', { device: { id: token, platform: 'iOS' } })
    const { messageId, deliveryId } = await world.push(token)
    const metric = { delivery_id: deliveryId, device_id: token, event: 'opened', timestamp: 1 }
    expect(await send('POST', '/push/events', metric)).toEqual(taken)
    expect(await world.receipts(messageId)).toMatchObject({ opened: 1 })
  })

  test('what will never be taken is 400, so that the task goes', async () => {
    const bad = { device: { id: 'zz zz', platform: 'iOS', attributes: {} } }
    expect((await send('PUT', '/api/v1/customers/x/devices', bad)).status).toBe(400)
    const inApp = { type: 'in_app', payload: { delivery_id: 'x', event: 'opened', timestamp: 1 } }
    expect((await send('POST', '/api/v1/cio_deliveries/events', inApp)).status).toBe(400)
  })
})
