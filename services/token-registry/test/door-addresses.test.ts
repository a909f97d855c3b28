import { createPersonFinder, SeveralPeopleError, setIdentityMode } from '@pushkeep/store'
import { expect, test } from 'vitest'
import { createCustomerio } from './customerio.ts'
import { type Claims, newSigner, sign, trust } from './identity.ts'
import { randomToken } from './registry.ts'

const signer = newSigner('ES256', 'key')

async function registryOf(mode: 'off' | 'required') {
  const registry = await createCustomerio()
  await trust(registry.database, registry.appNo, signer)
  await setIdentityMode(registry.database, registry.appNo, mode)
  return registry
}

const open = await registryOf('off')
const strict = await registryOf('required')

/** To whom a sender's address leads. */
function reached({ database, workspaceNo }: typeof open, email: string): Promise<string | null> {
  return createPersonFinder(database)({ workspaceNo, by: 'email', email })
}

let count = 0
/** A victim with an address that a backend has set, and an account that is older than theirs. */
async function stage(cio: typeof open) {
  count += 1
  const [victim, thief, email] = [`alice-${count}`, `older-${count}`, `alice-${count}@example.com`]
  await cio.call('PUT', `/v1/people/${thief}`, {})
  await cio.call('PUT', `/v1/people/${victim}`, { attributes: { email } })
  const as = async (claims: Claims = {}) => ({
    key: cio.publicKey,
    headers: { 'x-identity-token': await sign(signer, { sub: thief, ...claims }) },
  })
  return { victim, thief, email, as }
}

type Staged = Awaited<ReturnType<typeof stage>>

/** Ways of an account of its own to say that an address is its own. */
const claims: Record<string, (cio: typeof open, staged: Staged) => Promise<unknown>> = {
  'PUT person': async (cio, { thief, email, as }) =>
    cio.call('PUT', `/v1/people/${thief}`, { attributes: { email } }, await as()),
  'in another letter case': async (cio, { thief, email, as }) =>
    cio.call(
      'PUT',
      `/v1/people/${thief}`,
      { attributes: { email: email.toUpperCase() } },
      await as(),
    ),
  'Track v1': async (cio, { thief, email, as }) =>
    cio.call('PUT', `/api/v1/customers/${thief}`, { email }, await as()),
  'Track v1 with a time to come': async (cio, { thief, email, as }) =>
    cio.call('PUT', `/api/v1/customers/${thief}`, { email, _timestamp: 2_000_000_000 }, await as()),
  'Track v2': async (cio, { thief, email, as }) =>
    cio.call(
      'POST',
      '/api/v2/entity',
      { type: 'person', action: 'identify', identifiers: { id: thief }, attributes: { email } },
      await as(),
    ),
  'Pipelines traits': async (cio, { thief, email, as }) =>
    cio.call('POST', '/v1/identify', { userId: thief, traits: { email } }, await as()),
  'what was said of nobody': async (cio, { thief, email, as }) => {
    const anonymousId = `anonymous-${count}`
    await cio.call('POST', '/v1/identify', { anonymousId, traits: { email } }, await as())
    await cio.call('POST', '/v1/identify', { userId: thief, anonymousId }, await as())
  },
  'a claim that is not verified': async (cio, { thief, email, as }) =>
    cio.call(
      'PUT',
      `/v1/people/${thief}`,
      { attributes: { email } },
      await as({ email, email_verified: false }),
    ),
  'a claim of another address': async (cio, { thief, email, as }) =>
    cio.call(
      'PUT',
      `/v1/people/${thief}`,
      { attributes: { email } },
      await as({ email: 'me@x.io' }),
    ),
  'a batch in which a backend speaks, too': async (cio, { thief, email, as }) =>
    Promise.all([
      cio.call('POST', '/v1/identify', { userId: thief, traits: { email } }, await as()),
      cio.call('POST', '/v1/identify', { userId: thief, traits: { plan: 'pro' } }),
    ]),
}

test.each(Object.entries(claims))('an address is not claimed by %s', async (_name, claim) => {
  for (const cio of [open, strict]) {
    const staged = await stage(cio)
    await claim(cio, staged)
    expect(await reached(cio, staged.email)).toBe(staged.victim)
    // Nor where no backend has said whose it is.
    const free = `free-${staged.email}`
    await claim(cio, { ...staged, email: free })
    expect(await reached(cio, free)).not.toBe(staged.thief)
  }
})

test('an id that is the address does not take it from the person who has it', async () => {
  const { victim, email } = await stage(open)
  const asApp = { key: open.publicKey }
  await open.call('PUT', `/v1/people/${email}`, { attributes: {} }, asApp)
  await open.call(
    'PUT',
    `/v1/people/${email}/devices`,
    { device: { id: randomToken(), platform: 'ios' } },
    asApp,
  )
  expect(await reached(open, email)).toBe(victim)
})

test('what a phone says of its address is an attribute', async () => {
  const { thief, email, as } = await stage(strict)
  await strict.call('PUT', `/v1/people/${thief}`, { attributes: { email } }, await as())
  expect((await strict.person(thief)).attributes.email).toBe(email)
})

test('a phone that repeats the address of its person leaves it vouched', async () => {
  const { victim, email } = await stage(open)
  await open.call(
    'PUT',
    `/v1/people/${victim}`,
    { attributes: { email: email.toUpperCase() } },
    { key: open.publicKey },
  )
  expect(await reached(open, email)).toBe(victim)
})

test('a claim that is signed is an address', async () => {
  const { thief, as } = await stage(strict)
  const email = `signed-${count}@example.com`
  await strict.call('PUT', `/v1/people/${thief}`, {}, await as({ email }))
  expect(await reached(strict, email)).toBe(thief)
  expect((await strict.person(thief)).attributes.email).toBe(email)
})

test('an address of several people is refused, never a guess', async () => {
  const { victim, thief, email } = await stage(open)
  await open.call('PUT', `/v1/people/${thief}`, { attributes: { email } })
  await expect(reached(open, email)).rejects.toThrow(SeveralPeopleError)
  const answer = await open.track('PUT', `/api/v1/customers/${email}`, { plan: 'x' })
  expect(answer).toMatchObject({ status: 400 })
  expect((await open.person(victim)).attributes.plan).toBeUndefined()
  // A public key is not told that there are several.
  const asApp = { key: open.publicKey }
  const event = { name: 'opened' }
  const known = await open.call('POST', `/api/v1/customers/${email}/events`, event, asApp)
  expect(known).toMatchObject({ status: 200, body: {} })
})

test('addresses from before it was told apart count until a vouched one is the same', async () => {
  const { victim, thief, email } = await stage(open)
  await open.call('PUT', `/v1/people/${thief}`, { attributes: { email } })
  await open.database.query('update people set email_vouched = null where id = any($1)', [
    [victim, thief],
  ])
  await expect(reached(open, email)).rejects.toThrow(SeveralPeopleError)
  await open.call('PUT', `/v1/people/${victim}`, { attributes: { email } })
  expect(await reached(open, email)).toBe(victim)
  await open.database.query('update people set email_vouched = null where id = $1', [victim])
  await open.call('PUT', `/v1/people/${thief}`, { attributes: { email: 'other@x.io' } })
  expect(await reached(open, email)).toBe(victim)
})

test('only a person whom a backend has made is adopted', async () => {
  const email = `planted-${count}@example.com`
  const planted = randomToken()
  const device = { device: { id: planted, platform: 'ios' } }
  await open.call('PUT', `/api/v1/customers/${email}/devices`, device, { key: open.publicKey })
  await open.track('PUT', `/api/v1/customers/real-${count}`, { email })
  expect(await open.device(planted)).toMatchObject({ person_id: email })
  expect(await reached(open, email)).toBe(`real-${count}`)
  const other = `other-${email}`
  await open.call(
    'PUT',
    `/api/v1/customers/${other}/devices`,
    { device: { id: randomToken(), platform: 'ios' } },
    { key: open.publicKey },
  )
  await open.track('PUT', `/api/v1/customers/${other}`, { id: `named-${count}` })
  expect(await reached(open, other)).toBe(`named-${count}`)
})
