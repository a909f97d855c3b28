import { createPersonFinder } from '@pushkeep/store'
import { describe, expect, test } from 'vitest'
import { createCustomerio } from './customerio.ts'
import { randomToken } from './registry.ts'

/** Asks for no identity tokens: who has the public key may name any person. */
const cio = await createCustomerio()
const asApp = { key: cio.publicKey }
const basic = `site:${cio.publicKey}`

interface Planted {
  email: string
  token: string
}

/** Ways to make a person known by an address alone, with the public key, and to tie a phone to them. */
const plantings: Record<string, (planted: Planted) => Promise<unknown>> = {
  'Track v1: device': ({ email, token }) =>
    cio.track(
      'PUT',
      `/api/v1/customers/${email}/devices`,
      { device: { id: token, platform: 'ios' } },
      { basic },
    ),
  'Track v1: identify, then a device': async ({ email, token }) => {
    await cio.track('PUT', `/api/v1/customers/${email}`, { planted: 'yes' }, { basic })
    const device = { id: token, platform: 'ios' }
    await cio.track('PUT', `/api/v1/customers/${email}/devices`, { device }, { basic })
  },
  'Track v1: event, then a device': async ({ email, token }) => {
    await cio.track('POST', `/api/v1/customers/${email}/events`, { name: 'x' }, { basic })
    const device = { id: token, platform: 'ios' }
    await cio.track('PUT', `/api/v1/customers/${email}/devices`, { device }, { basic })
  },
  'Track v2: by address': ({ email, token }) =>
    cio.track(
      'POST',
      '/api/v2/entity',
      {
        type: 'person',
        action: 'add_device',
        identifiers: { email },
        device: { token, platform: 'ios' },
      },
      { basic },
    ),
  'Track v2: by an id that is the address': ({ email, token }) =>
    cio.track(
      'POST',
      '/api/v2/batch',
      {
        batch: [
          {
            type: 'person',
            action: 'identify',
            identifiers: { id: email },
            attributes: { planted: 'yes' },
          },
          {
            type: 'person',
            action: 'add_device',
            identifiers: { id: email },
            device: { token, platform: 'ios' },
          },
        ],
      },
      { basic },
    ),
  'Pipelines: the address as userId': ({ email, token }) =>
    cio.batch([
      { type: 'identify', userId: email, traits: { email, planted: 'yes' } },
      {
        type: 'track',
        event: 'Device Created or Updated',
        userId: email,
        context: { device: { token, type: 'ios' } },
      },
    ]),
  'Pipelines: the address in traits': async ({ email, token }) => {
    await cio.pipelines('/v1/identify', { traits: { email, planted: 'yes' } })
    const context = { device: { token, type: 'ios' } }
    await cio.batch([{ type: 'track', event: 'Device Created or Updated', userId: email, context }])
  },
  'native: device of person': ({ email, token }) =>
    cio.call(
      'PUT',
      `/v1/people/${email}/devices`,
      { device: { id: token, platform: 'ios' } },
      asApp,
    ),
  'native: device with person_id': ({ email, token }) =>
    cio.call('PUT', `/v1/devices/${token}`, { platform: 'ios', person_id: email }, asApp),
  'native: in another letter case': async ({ email, token }) => {
    const id = email.toUpperCase()
    await cio.call('PUT', `/v1/people/${id}`, { attributes: { email, planted: 'yes' } }, asApp)
    await cio.call('PUT', `/v1/devices/${token}`, { platform: 'ios', person_id: id }, asApp)
  },
}

/** Ways in which a backend says whose the address is. */
const identifications: Record<string, (email: string, id: string) => Promise<unknown>> = {
  'Track v1: by id': (email, id) => cio.track('PUT', `/api/v1/customers/${id}`, { email }),
  'Track v1: by address': (email, id) => cio.track('PUT', `/api/v1/customers/${email}`, { id }),
  'Track v2': (email, id) =>
    cio.track('POST', '/api/v2/entity', {
      type: 'person',
      action: 'identify',
      identifiers: { id },
      attributes: { email },
    }),
  Pipelines: (email, id) =>
    cio.pipelines(
      '/v1/identify',
      { userId: id, traits: { email } },
      { basic: `${cio.secretKey}:` },
    ),
  native: (email, id) => cio.call('PUT', `/v1/people/${id}`, { attributes: { email } }),
}

let count = 0

describe.each(Object.entries(plantings))('planted by %s', (_how, plant) => {
  test.each(Object.entries(identifications))(
    'a phone does not become the phone of the person whom a backend identifies: %s',
    async (_by, identify) => {
      count += 1
      const planted = { email: `bob-${count}@example.com`, token: randomToken() }
      const id = `bob-${count}`
      await plant(planted)
      expect(await cio.device(planted.token)).not.toBeNull()
      await identify(planted.email, id)
      const { workspaceNo, email } = { ...cio, ...planted }
      // A sender that names the address reaches the backend's person, and no phone that was planted.
      expect(await createPersonFinder(cio.database)({ workspaceNo, by: 'email', email })).toBe(id)
      expect((await cio.device(planted.token)).person_id).not.toBe(id)
      const person = await cio.person(id)
      expect(person.devices).toEqual([])
      expect(person.attributes.planted).toBeUndefined()
      expect((await cio.eventNames(id)) ?? []).toEqual([])
    },
  )
})

test('a person whom a backend made by the address alone is the one who gets the id', async () => {
  const [email, token] = ['carol@example.com', randomToken()]
  await cio.track('PUT', `/api/v1/customers/${email}`, { plan: 'pro' })
  const device = { id: token, platform: 'ios' }
  await cio.track('PUT', `/api/v1/customers/${email}/devices`, { device })
  await cio.track('PUT', '/api/v1/customers/carol', { email })
  expect(await cio.device(token)).toMatchObject({ person_id: 'carol' })
  expect((await cio.person('carol')).attributes).toMatchObject({ plan: 'pro', email })
  expect(await cio.person(email)).toBeNull()
})
