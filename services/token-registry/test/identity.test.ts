import { randomBytes } from 'node:crypto'
import type { IdentityAlgorithm } from '@pushkeep/domain'
import { createApp, createKey, deleteIdentityKey, setIdentityMode } from '@pushkeep/store'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { newSigner, sign, trust } from './identity.ts'
import { createRegistry, randomToken } from './registry.ts'

const sealKey = randomBytes(32)
const signers = {
  ES256: newSigner('ES256', 'es'),
  EdDSA: newSigner('EdDSA', 'ed'),
  RS256: newSigner('RS256', 'rs'),
  HS256: newSigner('HS256', 'hs'),
}

let registry: Awaited<ReturnType<typeof createRegistry>>
let workspace: Awaited<ReturnType<typeof registry.createWorkspaceWithApp>>

beforeAll(async () => {
  registry = await createRegistry({ identityKey: sealKey })
})

afterAll(() => registry[Symbol.asyncDispose]())

beforeEach(async () => {
  workspace = await registry.createWorkspaceWithApp()
  for (const signer of Object.values(signers)) {
    await trust(registry.database, workspace.appNo, signer, sealKey)
  }
  await setIdentityMode(registry.database, workspace.appNo, 'required')
})

const device = { platform: 'ios' }

/** Calls with the app's public key and these identity tokens. */
function asApp(tokens: string[], key = workspace.publicKey) {
  const headers = tokens.length > 0 ? { 'x-identity-token': tokens.join(', ') } : {}
  return (method: 'PUT' | 'POST' | 'DELETE' | 'GET', url: string, body?: object) =>
    registry.call(method, url, body, { key, headers })
}

async function personOf(token: string): Promise<string | null> {
  const { body } = await registry.call('GET', `/v1/devices/${token}`, undefined, {
    key: workspace.secretKey,
  })
  return body.person_id ?? null
}

test.each(Object.keys(signers) as IdentityAlgorithm[])(
  'a token signed by %s is good',
  async (alg) => {
    const call = asApp([await sign(signers[alg], { sub: 'ana' })])
    expect(await call('PUT', '/v1/people/ana', {})).toMatchObject({ status: 200, body: {} })
  },
)

test('without one, no route lets a public key name a person, and nothing is stored', async () => {
  const token = randomToken()
  const before = await registry.countRows()
  for (const [url, body] of [
    ['/v1/people/ana', {}],
    ['/v1/people/ana/devices', { device: { id: token, ...device } }],
    [`/v1/devices/${token}`, { ...device, person_id: 'ana' }],
  ] as const) {
    expect(await asApp([])('PUT', url, body)).toMatchObject({
      status: 403,
      body: { code: 'identity_token_missing' },
    })
  }
  expect(await registry.countRows()).toEqual(before)
})

test('with one, all of them do, for that person alone', async () => {
  const [first, second] = [randomToken(), randomToken()]
  const call = asApp([await sign(signers.ES256, { sub: 'ana' })])
  const byPerson = { device: { id: first, ...device } }
  expect((await call('PUT', '/v1/people/ana/devices', byPerson)).status).toBe(200)
  const byToken = { ...device, person_id: 'ana' }
  expect((await call('PUT', `/v1/devices/${second}`, byToken)).status).toBe(200)
  expect([await personOf(first), await personOf(second)]).toEqual(['ana', 'ana'])
  expect(await call('PUT', '/v1/people/ben/devices', byPerson)).toMatchObject({
    status: 403,
    body: { code: 'identity_token_missing', detail: expect.stringContaining('of this person') },
  })
  expect(await personOf(first)).toBe('ana')
})

test('several tokens come in one header, and one of them is enough', async () => {
  const call = asApp([
    await sign(signers.ES256, { sub: 'ben', exp: -100 }),
    await sign(signers.RS256, { sub: 'ana' }),
  ])
  expect((await call('PUT', '/v1/people/ana', {})).status).toBe(200)
  expect(await call('PUT', '/v1/people/ben', {})).toMatchObject({
    status: 403,
    body: { code: 'identity_token_expired' },
  })
  const many = Array.from({ length: 11 }, () => 'x')
  expect(await asApp(many)('PUT', '/v1/people/ana', {})).toMatchObject({
    status: 400,
    body: { code: 'invalid_header', errors: [{ path: 'X-Identity-Token' }] },
  })
})

test('a registration that names nobody, and one that unties, need none', async () => {
  const token = randomToken()
  const ana = asApp([await sign(signers.ES256, { sub: 'ana' })])
  await ana('PUT', `/v1/devices/${token}`, { ...device, person_id: 'ana' })
  const anybody = asApp([])
  expect((await anybody('PUT', `/v1/devices/${token}`, device)).status).toBe(200)
  expect(await personOf(token)).toBe('ana')
  expect((await anybody('POST', `/v1/devices/${token}/clear-identify`)).status).toBe(200)
  expect(await personOf(token)).toBeNull()
})

test("replacing a known token does not take its person over without the person's token", async () => {
  const [old, stolen, own] = [randomToken(), randomToken(), randomToken()]
  const ana = asApp([await sign(signers.ES256, { sub: 'ana' })])
  const mine = { ...device, installation_id: 'of ana', person_id: 'ana' }
  await ana('PUT', `/v1/devices/${old}`, mine)
  const thief = asApp([])
  await thief('PUT', `/v1/devices/${stolen}`, { ...device, previous_token: old })
  expect(await personOf(stolen)).toBeNull()
  await ana('PUT', `/v1/devices/${own}`, { ...mine, installation_id: 'again' })
  await thief('PUT', `/v1/devices/${stolen}`, { ...device, installation_id: 'again' })
  expect(await personOf(stolen)).toBeNull()
})

test('the same installation takes its person over by its secret', async () => {
  const [old, next] = [randomToken(), randomToken()]
  const secret = { installation_secret: randomBytes(32).toString('hex') }
  const ana = asApp([await sign(signers.ES256, { sub: 'ana' })])
  await ana('PUT', `/v1/devices/${old}`, { ...device, ...secret, person_id: 'ana' })
  await asApp([])('PUT', `/v1/devices/${next}`, { ...device, ...secret, previous_token: old })
  expect(await personOf(next)).toBe('ana')
})

test('a secret key speaks for everybody', async () => {
  const { secretKey } = workspace
  expect((await asApp([], secretKey)('PUT', '/v1/people/ana', {})).status).toBe(200)
})

test('log: all pass, and what would be refused is told once a minute, without names', async () => {
  await setIdentityMode(registry.database, workspace.appNo, 'log')
  const call = asApp([await sign(signers.ES256, { sub: 'whoever' })])
  for (const person of ['secret-ana', 'secret-ben']) {
    expect((await call('PUT', `/v1/people/${person}`, {})).status).toBe(200)
  }
  const told = registry.lines.filter((line) => line.includes(workspace.appId))
  expect(told.map((line) => JSON.parse(line))).toMatchObject([
    { app_id: workspace.appId, doubt: 'other_person', calls: 1 },
  ])
  expect(registry.lines.join('')).not.toMatch(/secret-ana|whoever/)
})

test('off: nobody is asked', async () => {
  await setIdentityMode(registry.database, workspace.appNo, 'off')
  expect((await asApp(['nonsense'])('PUT', '/v1/people/ana', {})).status).toBe(200)
})

test('a key of several apps is held to the strictest, and a token of any will do', async () => {
  const { database } = registry
  const { workspaceNo } = workspace
  const other = await createApp(database, workspaceNo, 'other')
  const signer = newSigner('ES256', 'of the other app')
  await trust(database, other.appNo, signer)
  const wide = await createKey(database, { workspaceNo, appNo: null, kind: 'public', name: 'x' })
  expect((await asApp([], wide.key)('PUT', '/v1/people/ana', {})).status).toBe(403)
  const call = asApp([await sign(signer, { sub: 'ana', aud: other.id })], wide.key)
  expect((await call('PUT', '/v1/people/ana', {})).status).toBe(200)
  const inApp = (app_id: string) => ({ ...device, person_id: 'ana', app_id })
  expect((await call('PUT', `/v1/devices/${randomToken()}`, inApp(other.id))).status).toBe(200)
  expect((await call('PUT', `/v1/devices/${randomToken()}`, inApp(workspace.appId))).status).toBe(
    403,
  )
})

test('a key that was taken away, or a mode that changed, counts within seconds', async () => {
  const call = asApp([await sign(signers.EdDSA, { sub: 'ana' })])
  expect((await call('PUT', '/v1/people/ana', {})).status).toBe(200)
  await deleteIdentityKey(registry.database, workspace.appNo, 'ed')
  await vi.waitFor(async () => expect((await call('PUT', '/v1/people/ana', {})).status).toBe(403), {
    timeout: 10_000,
    interval: 500,
  })
})

test('a shared secret that cannot be opened is our fault: 503', async () => {
  await using blind = await createRegistry()
  await trust(blind.database, blind.appNo, signers.HS256, sealKey)
  await setIdentityMode(blind.database, blind.appNo, 'required')
  const headers = { 'x-identity-token': await sign(signers.HS256, { sub: 'ana' }) }
  const options = { key: blind.publicKey, headers }
  expect(await blind.call('PUT', '/v1/people/ana', {}, options)).toMatchObject({
    status: 503,
    body: { code: 'identity_unavailable' },
  })
})
