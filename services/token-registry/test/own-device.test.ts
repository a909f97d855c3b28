import { randomBytes } from 'node:crypto'
import { setIdentityMode } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSigner, sign, trust } from './identity.ts'
import { createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>
const signer = newSigner('ES256', 'k')

beforeAll(async () => {
  registry = await createRegistry()
  await trust(registry.database, registry.appNo, signer)
})

afterAll(() => registry[Symbol.asyncDispose]())

const newSecret = () => randomBytes(32).toString('hex')
const unknown = { status: 404, body: { code: 'unknown_device' } }

/** Registers with the public key. */
function register(token: string, body: object = {}) {
  const all = { platform: 'ios', ...body }
  return registry.call('PUT', `/v1/devices/${token}`, all, { key: registry.publicKey })
}

function readOwn(token: string, headers: Record<string, string> = {}) {
  const options = { key: registry.publicKey, headers }
  return registry.call('GET', `/v1/devices/${token}/own`, undefined, options)
}

const withSecret = (secret: string) => ({ 'x-installation-secret': secret })

test('an installation reads its own device back by its secret', async () => {
  const [token, secret] = [randomToken(), newSecret()]
  const attributes = { theme: 'dark', push_enabled: false }
  await register(token, { person_id: 'ana', installation_secret: secret, attributes })
  const { status, body } = await readOwn(token, withSecret(secret))
  expect(status).toBe(200)
  expect(body).toMatchObject({
    id: token,
    person_id: 'ana',
    attributes: { _last_status: '', push_enabled: 'false', theme: 'dark' },
  })
  const { body: full } = await registry.call('GET', `/v1/devices/${token}`)
  expect(body).toEqual(full)
})

test('whoever shows nothing, or the wrong thing, learns nothing: as if there were no device', async () => {
  const [token, secret] = [randomToken(), newSecret()]
  await register(token, { person_id: 'ana', installation_secret: secret })
  const none = await readOwn(randomToken())
  expect(none).toMatchObject(unknown)
  const headers = [{}, withSecret(newSecret()), withSecret(''), withSecret(`${secret}, ${secret}`)]
  for (const shown of headers) {
    const { status, body } = await readOwn(token, shown)
    expect({ status, body }).toEqual({ status: none.status, body: none.body })
  }
})

test('registering a known token again does not give its state away', async () => {
  const [token, mine, theirs] = [randomToken(), newSecret(), newSecret()]
  await register(token, { person_id: 'ana', installation_secret: mine })
  await register(token, { installation_secret: theirs })
  expect(await readOwn(token, withSecret(theirs))).toMatchObject(unknown)
  expect((await readOwn(token, withSecret(mine))).status).toBe(200)
})

test('nor does replacing it, or a token that came without a secret', async () => {
  const [token, plain, own] = [randomToken(), randomToken(), randomToken()]
  const secret = newSecret()
  await register(token, { person_id: 'ana', installation_secret: newSecret() })
  await register(plain, { person_id: 'ben' })
  await register(plain, { installation_secret: secret })
  expect(await readOwn(plain, withSecret(secret))).toMatchObject(unknown)
  await register(own, { installation_secret: secret })
  await register(own, { installation_secret: secret, previous_token: token })
  const { body } = await readOwn(own, withSecret(secret))
  expect(body).toMatchObject({ person_id: null })
  const { body: replaced } = await registry.call('GET', `/v1/devices/${token}`)
  expect(replaced).toMatchObject({ person_id: 'ana' })
})

test('a new token of the installation is read by the same secret', async () => {
  const [before, after, secret] = [randomToken(), randomToken(), newSecret()]
  const installation = { installation_id: newSecret(), installation_secret: secret }
  await register(before, { ...installation, person_id: 'ana' })
  await register(after, installation)
  expect(await readOwn(after, withSecret(secret))).toMatchObject({ body: { person_id: 'ana' } })
  expect(await readOwn(before, withSecret(secret))).toMatchObject(unknown)
})

test('a deleted device has no secret: the next installation brings its own', async () => {
  const [token, before, after] = [randomToken(), newSecret(), newSecret()]
  await register(token, { installation_secret: before })
  const shown = { key: registry.publicKey, headers: { 'x-installation-secret': before } }
  await registry.call('DELETE', `/v1/devices/${token}`, undefined, shown)
  expect(await readOwn(token, withSecret(before))).toMatchObject(unknown)
  await register(token, { installation_secret: after })
  expect(await readOwn(token, withSecret(before))).toMatchObject(unknown)
  expect((await readOwn(token, withSecret(after))).status).toBe(200)
})

test('a person reads the devices that are tied to them by an identity token, and no others', async () => {
  const [mine, other] = [randomToken(), randomToken()]
  await register(mine, { person_id: 'ana' })
  await register(other, { person_id: 'ben' })
  const as = async (sub: string) => ({ 'x-identity-token': await sign(signer, { sub }) })
  expect((await readOwn(mine, await as('ana'))).status).toBe(200)
  expect(await readOwn(other, await as('ana'))).toMatchObject(unknown)
  const stranger = await sign(newSigner('ES256', 'k'), { sub: 'ben' })
  expect(await readOwn(other, { 'x-identity-token': stranger })).toMatchObject(unknown)
})

test('an identity token gives the installation a secret of its own', async () => {
  const [token, secret] = [randomToken(), newSecret()]
  await register(token, { person_id: 'ana' })
  const headers = { 'x-identity-token': await sign(signer, { sub: 'ana' }) }
  const body = { platform: 'ios', person_id: 'ana', installation_secret: secret }
  await registry.call('PUT', `/v1/devices/${token}`, body, { key: registry.publicKey, headers })
  expect((await readOwn(token, withSecret(secret))).status).toBe(200)
})

test('where tokens are required, the secret still reads', async () => {
  const [token, secret] = [randomToken(), newSecret()]
  await register(token, { installation_secret: secret })
  await setIdentityMode(registry.database, registry.appNo, 'required')
  expect((await readOwn(token, withSecret(secret))).status).toBe(200)
  await setIdentityMode(registry.database, registry.appNo, 'off')
})

test('a page of another origin may ask, and read the answer', async () => {
  const url = `/v1/devices/${randomToken()}/own`
  for (const [path, method] of [
    [url, 'GET'],
    ['/v1/batch', 'POST'],
  ] as const) {
    const asked = await registry.app.inject({ method: 'OPTIONS', url: path })
    expect([asked.statusCode, asked.body]).toEqual([204, ''])
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': method,
      'access-control-allow-headers': expect.stringContaining('x-installation-secret'),
    })
  }
  const { headers } = await readOwn(randomToken())
  expect(headers).toMatchObject({
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'date, retry-after',
  })
})

test('a secret that is too short to be one is refused by name', async () => {
  expect(await register(randomToken(), { installation_secret: 'short' })).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'installation_secret' }] },
  })
})
