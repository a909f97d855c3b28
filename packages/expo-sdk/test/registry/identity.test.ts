import { generateKeyPairSync } from 'node:crypto'
import { putIdentityKey, setIdentityMode } from '@pushkeep/store'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newPhone, newToken, type Registry, startRegistry } from './registry.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
let registry: Registry

beforeAll(async () => {
  registry = await startRegistry()
  const { database, appNo } = registry
  const key = String(publicKey.export({ type: 'spki', format: 'pem' }))
  await putIdentityKey(database, { appNo, kid: 'k', algorithm: 'ES256', key }, null)
  await setIdentityMode(database, appNo, 'required')
})

afterAll(() => registry[Symbol.asyncDispose]())

function sign(personId: string, secondsFromNow = 300): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + secondsFromNow
  return new SignJWT({ sub: personId, exp })
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .sign(privateKey)
}

test('a login with a token ties the phone, without one nothing, and both logins are kept apart', async () => {
  const phone = newPhone(registry)
  const token = newToken()
  await phone.client.registerDeviceToken(token)
  await phone.client.identify('ana', { a: 1 }, { identityToken: await sign('ana') })
  await phone.client.track('of ana')
  await phone.client.identify('ben', { b: 1 })
  await phone.client.track('of ben')
  await phone.client.flush()
  expect(await registry.device(token)).toMatchObject({ person_id: null })
  expect(await registry.events('ana')).toEqual(['of ana'])
  expect(await registry.person('ben')).toBeNull()
  expect(phone.errors).toMatchObject([
    { kind: 'identity', personId: 'ben', code: 'identity_token_missing' },
  ])
  await phone.client.identify('ben', {}, { identityToken: await sign('ben') })
  await phone.client.flush()
  expect(await registry.device(token)).toMatchObject({ person_id: 'ben' })
  expect(await registry.events('ben')).toEqual(['of ben'])
  expect((await registry.person('ben')).attributes).toEqual({ b: 1 })
})

test('a token that expired is renewed by the app’s function, and what waited goes', async () => {
  let asked = 0
  const phone = newPhone(registry, {
    identityToken: async (personId) => sign(personId, asked++ === 0 ? -120 : 300),
  })
  await phone.client.identify('cem')
  await phone.client.track('x')
  await phone.client.flush()
  expect(asked).toBe(2)
  expect(await registry.events('cem')).toEqual(['x'])
})

test('a logout is possible with a token that has expired', async () => {
  const phone = newPhone(registry)
  const token = newToken()
  await phone.client.registerDeviceToken(token)
  await phone.client.identify('dag', {}, { identityToken: await sign('dag') })
  await phone.client.flush()
  expect(await registry.device(token)).toMatchObject({ person_id: 'dag' })
  await phone.client.identify('dag', {}, { identityToken: await sign('dag', -120) })
  await phone.client.clearIdentify()
  await phone.client.flush()
  expect(await registry.device(token)).toMatchObject({ person_id: null })
})

test('somebody else’s token does not help', async () => {
  const phone = newPhone(registry)
  await phone.client.identify('eve', {}, { identityToken: await sign('ana') })
  await phone.client.flush()
  expect(await registry.person('eve')).toBeNull()
  expect(phone.errors).toMatchObject([{ kind: 'identity', code: 'identity_token_missing' }])
})

test('getDevice is told to the person, too, where the phone was known before', async () => {
  const { url, publicKey: key } = registry
  const token = newToken()
  const jwt = await sign('fay')
  await fetch(`${url}/v1/people/fay/devices`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'x-identity-token': jwt,
    },
    body: JSON.stringify({ device: { id: token, platform: 'ios' } }),
  })
  const phone = newPhone(registry)
  await phone.client.registerDeviceToken(token)
  await phone.client.identify('fay', {}, { identityToken: jwt })
  expect(await phone.client.getDevice()).toMatchObject({ token, personId: 'fay' })
})
