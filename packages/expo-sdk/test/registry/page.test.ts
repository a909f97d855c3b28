import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { iphone, newPhone, newToken, type Registry, startRegistry } from './registry.ts'

// The page "Identify people" of Customer.io's SDK for Expo, sentence by sentence, by what is stored.

let registry: Registry

beforeAll(async () => {
  registry = await startRegistry()
})

afterAll(() => registry[Symbol.asyncDispose]())

let count = 0
const newId = (name: string) => `${name} ${++count}`

describe('identify a person', () => {
  test('"Adds or updates the person in your workspace."', async () => {
    const { client } = newPhone(registry)
    const ana = newId('ana')
    expect(await registry.person(ana)).toBeNull()
    await client.identify(ana, { first_name: 'Ana' })
    await client.flush()
    expect(await registry.person(ana)).toMatchObject({ id: ana, attributes: { first_name: 'Ana' } })
    await client.identify(ana, { first_name: 'Anna' })
    await client.flush()
    expect((await registry.person(ana)).attributes).toEqual({ first_name: 'Anna' })
  })

  test('"Saves the person’s information on the device … any events that you track are automatically associated with that person."', async () => {
    const phone = newPhone(registry)
    const ana = newId('ana')
    await phone.client.identify(ana)
    await phone.client.track('before the end')
    await phone.relaunch()
    await phone.client.track('after the launch')
    await phone.client.screen('a screen')
    await phone.client.flush()
    expect(await registry.events(ana)).toEqual(['before the end', 'after the launch', 'a screen'])
  })

  test('"Associates the current device token with the person."', async () => {
    const { client } = newPhone(registry)
    const [token, ana] = [newToken(), newId('ana')]
    await client.registerDeviceToken(token)
    await client.flush()
    expect(await registry.device(token)).toMatchObject({ person_id: null })
    await client.identify(ana)
    await client.flush()
    expect(await registry.device(token)).toMatchObject({ person_id: ana })
  })

  test('"You can only identify one customer at a time. … the SDK “forgets” person A and assumes that person B is the current app user."', async () => {
    const { client } = newPhone(registry)
    const [token, ana, ben] = [newToken(), newId('ana'), newId('ben')]
    await client.registerDeviceToken(token)
    await client.identify(ana)
    await client.track('of ana')
    await client.identify(ben)
    await client.track('of ben')
    await client.setProfileAttributes({ whose: 'of ben' })
    await client.flush()
    expect(await registry.device(token)).toMatchObject({ person_id: ben })
    expect(await registry.events(ana)).toEqual(['of ana'])
    expect(await registry.events(ben)).toEqual(['of ben'])
    expect((await registry.person(ana)).attributes).toEqual({})
    expect((await registry.person(ben)).attributes).toEqual({ whose: 'of ben' })
    expect((await registry.person(ana)).devices).toEqual([])
  })

  test('"You can also stop identifying a person …"', async () => {
    const { client } = newPhone(registry)
    const [token, ana] = [newToken(), newId('ana')]
    await client.registerDeviceToken(token)
    await client.identify(ana)
    await client.clearIdentify()
    await client.track('of nobody')
    await client.flush()
    expect(await registry.device(token)).toMatchObject({ person_id: null })
    expect(await registry.events(ana)).toEqual([])
    expect(await registry.person(ana)).not.toBeNull()
  })

  test('`CustomerIO.identify("", {"first_name": "person"})` without an id identifies nobody', async () => {
    const { client } = newPhone(registry)
    await expect(client.identify('', { first_name: 'person' })).rejects.toThrow('userId')
  })
})

describe('update a person’s attributes', () => {
  test('"When you call the CustomerIO.identify() function, you can update a person’s attributes on the server-side."', async () => {
    const { client } = newPhone(registry)
    const ana = newId('ana')
    await client.identify(ana, { plan: 'free', city: 'Rome' })
    await client.identify(ana, { plan: 'pro', city: null })
    await client.flush()
    expect((await registry.person(ana)).attributes).toEqual({ plan: 'pro' })
  })

  test('"You only need to pass the attributes that you want to create or modify to setProfileAttributes … first_name attribute will still be Dana."', async () => {
    const { client } = newPhone(registry)
    const dana = newId('dana')
    await client.identify(dana, { first_name: 'Dana' })
    await client.setProfileAttributes({ favorite_food: 'pizza' })
    await client.flush()
    expect((await registry.person(dana)).attributes).toEqual({
      first_name: 'Dana',
      favorite_food: 'pizza',
    })
  })

  test('custom and additional attributes are whatever JSON they are', async () => {
    const { client } = newPhone(registry)
    const ana = newId('ana')
    const profileAttributes = {
      favouriteFood: 'Pizza',
      favouriteDrink: 'Mango Shake',
      customProfileAttributes: { sizes: [1, 2.5], isNew: true },
      additionalAttributes: [{ deep: { deeper: null } }],
    }
    await client.identify(ana)
    await client.setProfileAttributes(profileAttributes)
    await client.flush()
    expect((await registry.person(ana)).attributes).toEqual(profileAttributes)
  })
})

describe('device attributes', () => {
  test('"When you register a device token to a person, we automatically collect device attributes": each of the list, as text', async () => {
    const { client } = newPhone(registry)
    const [token, ana] = [newToken(), newId('ana')]
    await client.identify(ana)
    await client.registerDeviceToken(token)
    const before = Math.floor(Date.now() / 1000)
    await client.flush()
    expect(await registry.device(token)).toMatchObject({
      // "id: Required. The device token." "platform: Required."
      id: token,
      platform: 'ios',
      environment: 'sandbox',
      person_id: ana,
      attributes: {
        // "An empty string indicates that the device hasn’t received a push yet."
        _last_status: '',
        app_version: '2.1.0',
        cio_sdk_version: '0.1.0',
        // "The four-letter IETF language code for the device."
        device_locale: 'es-MX',
        device_model: 'iPhone 15 Pro',
        // "The operating system, including the version, on the device."
        device_os: 'iOS 17.4',
        // "If "true", the device is opted-in and can receive push notifications."
        push_enabled: 'true',
      },
    })
    // "If you don’t pass a timestamp when you add or update a device, we use the time of the request itself."
    expect((await registry.device(token)).last_used).toBeGreaterThanOrEqual(before - 1)
  })

  test('"Our SDKs identify a device when a person launches their app."', async () => {
    const phone = newPhone(registry)
    const token = newToken()
    await phone.client.registerDeviceToken(token)
    await phone.client.flush()
    const { database } = registry
    await database.query('update devices set last_used = 1 where token = $1', [token])
    await phone.relaunch()
    await phone.client.flush()
    expect((await registry.device(token)).last_used).toBeGreaterThan(1_700_000_000)
  })

  test('push_enabled: "Accepted values: true, false", as the permission is', async () => {
    const phone = newPhone(registry)
    const token = newToken()
    await phone.client.registerDeviceToken(token)
    const denied = { ...iphone, attributes: { ...iphone.attributes, push_enabled: 'false' } }
    await phone.client.updateDevice(denied)
    await phone.client.flush()
    expect((await registry.device(token)).attributes.push_enabled).toBe('false')
    await phone.client.updateDevice(iphone)
    await phone.client.flush()
    expect((await registry.device(token)).attributes.push_enabled).toBe('true')
  })

  test('"You can also set custom device attributes … you can pass nested JSON to device attributes."', async () => {
    const { client } = newPhone(registry)
    const token = newToken()
    const custom = { type: 'primary_device', parentObject: { childProperty: 'someValue' } }
    await client.registerDeviceToken(token)
    await client.setDeviceAttributes(custom)
    await client.flush()
    expect((await registry.device(token)).attributes).toMatchObject(custom)
  })

  test('"Device tokens are ephemeral …": attributes of a person outlast the device', async () => {
    const { client } = newPhone(registry)
    const [token, ana] = [newToken(), newId('ana')]
    await client.registerDeviceToken(token)
    await client.identify(ana, { kept: true })
    await client.setDeviceAttributes({ lost: true })
    await client.deleteDeviceToken()
    await client.flush()
    expect(await registry.device(token)).toBeNull()
    expect((await registry.person(ana)).attributes).toEqual({ kept: true })
    const next = newToken()
    await client.registerDeviceToken(next)
    await client.flush()
    expect((await registry.device(next)).attributes).not.toHaveProperty('lost')
  })
})

describe('stop identifying a person', () => {
  test('"Use clearIdentify() to stop identifying the previously identified person (if there was one)."', async () => {
    const { client, errors } = newPhone(registry)
    const token = newToken()
    await client.registerDeviceToken(token)
    await client.clearIdentify()
    await client.flush()
    expect(await registry.timeline(token)).toEqual(['registered'])
    expect(errors).toEqual([])
  })

  test('"If you want to identify a new person … you can simply call identify()": all new information is theirs', async () => {
    const { client } = newPhone(registry)
    const [token, ana, ben] = [newToken(), newId('ana'), newId('ben')]
    await client.registerDeviceToken(token)
    for (const id of [ana, ben, ana]) {
      await client.identify(id)
      await client.track(`as ${id}`)
      await client.setDeviceAttributes({ last: id })
    }
    await client.flush()
    expect(await registry.events(ana)).toEqual([`as ${ana}`, `as ${ana}`])
    expect(await registry.events(ben)).toEqual([`as ${ben}`])
    expect(await registry.device(token)).toMatchObject({
      person_id: ana,
      attributes: { last: ana },
    })
  })
})

describe('beyond the page', () => {
  test('events from before the login are the person’s, and the next person’s are not', async () => {
    const { client } = newPhone(registry)
    const [ana, ben] = [newId('ana'), newId('ben')]
    await client.track('unknown')
    await client.flush()
    await client.identify(ana)
    await client.flush()
    await client.clearIdentify()
    await client.track('in between')
    await client.identify(ben)
    await client.flush()
    expect(await registry.events(ana)).toEqual(['unknown'])
    expect(await registry.events(ben)).toEqual(['in between'])
  })

  test('a new token retires the old one and keeps person and attributes', async () => {
    const phone = newPhone(registry)
    const [before, after, ana] = [newToken(), newToken(), newId('ana')]
    await phone.client.registerDeviceToken(before)
    await phone.client.identify(ana)
    await phone.client.setDeviceAttributes({ theme: 'dark' })
    await phone.client.flush()
    await phone.relaunch()
    await phone.client.registerDeviceToken(after)
    await phone.client.flush()
    expect(await registry.device(before)).toBeNull()
    expect(await registry.device(after)).toMatchObject({
      person_id: ana,
      attributes: { theme: 'dark' },
    })
  })

  test('getDevice reads it back, for this installation alone', async () => {
    const phone = newPhone(registry)
    expect(await phone.client.getDevice()).toBeNull()
    const [token, ana] = [newToken(), newId('ana')]
    await phone.client.registerDeviceToken(token)
    await phone.client.identify(ana)
    expect(await phone.client.getDevice()).toMatchObject({
      token,
      platform: 'ios',
      personId: ana,
      pushEnabled: true,
      lastStatus: '',
      attributes: { device_model: 'iPhone 15 Pro' },
    })
    const thief = newPhone(registry)
    await thief.client.registerDeviceToken(token)
    expect(await thief.client.getDevice()).toBeNull()
  })

  test('what the server refuses is told by name, and stops nothing', async () => {
    const { client, errors } = newPhone(registry)
    const ana = newId('ana')
    await client.identify(ana)
    await client.track('fine')
    await client.registerDeviceToken('no token of APNs')
    await client.track('x'.repeat(1001))
    await client.track('fine, too')
    await client.flush()
    expect(await registry.events(ana)).toEqual(['fine', 'fine, too'])
    expect(errors).toMatchObject([
      { kind: 'refused', call: 'track Device Created or Updated' },
      { kind: 'refused' },
    ])
    const fields = errors.flatMap((error) => (error.kind === 'refused' ? error.fields : []))
    expect(new Set(fields.map(({ path }) => path))).toEqual(
      new Set(['context.device.token', 'event']),
    )
  })
})
