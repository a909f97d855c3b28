import { randomUUID } from 'node:crypto'
import { setIdentityMode } from '@pushkeep/store'
import { describe, expect, test } from 'vitest'
import { createCustomerio } from './customerio.ts'
import { newSigner, sign, trust } from './identity.ts'
import { randomToken } from './registry.ts'

const signer = newSigner('ES256', 'key')
const cio = await createCustomerio()
const strict = await createCustomerio()
await trust(cio.database, cio.appNo, signer)
await trust(strict.database, strict.appNo, signer)
await setIdentityMode(strict.database, strict.appNo, 'required')

const asApp = { key: cio.publicKey }
const headersOf = async (sub: string) => ({ 'x-identity-token': await sign(signer, { sub }) })
const id = () => randomUUID()

/** Ways in which the public key alone uses up an id. */
const burnings: Record<string, (messageId: string) => Promise<{ status: number }>> = {
  'an event of another person': (messageId) =>
    cio.call('POST', '/v1/people/mallory/events', { name: 'x', id: messageId }, asApp),
  'an event of the same person': (messageId) =>
    cio.call('POST', '/v1/people/ann/events', { name: 'x', id: messageId }, asApp),
  'Pipelines: track': (messageId) =>
    cio.pipelines('/v1/track', { userId: 'ann', event: 'x', messageId }),
  'Pipelines: track of nobody': (messageId) =>
    cio.pipelines('/v1/track', { anonymousId: id(), event: 'x', messageId }),
  'Pipelines: identify': (messageId) =>
    cio.pipelines('/v1/identify', { userId: 'ann', traits: {}, messageId }),
  'Pipelines: identify of nobody': (messageId) =>
    cio.pipelines('/v1/identify', { anonymousId: id(), traits: { a: 1 }, messageId }),
  'Pipelines: batch': (messageId) =>
    cio.batch([{ type: 'screen', userId: 'ann', name: 'x', messageId }]),
  'Pipelines: a device': (messageId) =>
    cio.batch([
      {
        type: 'track',
        event: 'Device Created or Updated',
        userId: 'ann',
        messageId,
        context: { device: { token: randomToken(), type: 'ios' } },
      },
    ]),
  'Track v1: event': (messageId) =>
    cio.track(
      'POST',
      '/api/v1/customers/ann/events',
      { name: 'x', id: messageId },
      { basic: `site:${cio.publicKey}` },
    ),
  'Track v2: event': (messageId) =>
    cio.track(
      'POST',
      '/api/v2/entity',
      { type: 'person', action: 'event', identifiers: { id: 'ann' }, name: 'x', id: messageId },
      { basic: `site:${cio.publicKey}` },
    ),
}

describe.each(Object.entries(burnings))('by %s', (_name, burn) => {
  test('a public key does not use up the id of an event of a backend', async () => {
    const messageId = id()
    expect((await burn(messageId)).status).toBe(200)
    const said = { name: 'order placed', id: messageId }
    const answer = await cio.call('POST', '/v1/people/ann/events', said)
    expect(answer.body).toEqual({ applied: true })
    // The backend's own repetition still counts once.
    expect((await cio.call('POST', '/v1/people/ann/events', said)).body).toEqual({ applied: false })
  })

  test("nor that of another person's phone", async () => {
    const [messageId, person] = [id(), `p-${id()}`]
    await burn(messageId)
    const said = { userId: person, event: 'bought', messageId }
    for (let n = 0; n < 2; n += 1) await cio.pipelines('/v1/track', said)
    expect(await cio.eventNames(person)).toEqual(['bought'])
  })
})

test('what a phone sends again counts once, in every dialect', async () => {
  const [person, messageId] = [`p-${id()}`, id()]
  for (let n = 0; n < 3; n += 1) {
    await cio.call('POST', `/v1/people/${person}/events`, { name: 'x', id: messageId }, asApp)
    await cio.pipelines('/v1/track', { userId: person, event: 'x', messageId })
  }
  expect(await cio.eventNames(person)).toEqual(['x'])
})

/** A phone whose person is known by an identity token, and its anonymous id. */
async function knownPhone() {
  const [person, anonymousId] = [`p-${id()}`, id()]
  const headers = await headersOf(person)
  const identify = { userId: person, anonymousId, traits: { plan: 'pro' } }
  await strict.pipelines('/v1/identify', identify, { headers })
  return { person, anonymousId, headers }
}

type Said = (anonymousId: string) => [path: string, body: object]
/** What may be said under an anonymous id alone. */
const sayings: Record<string, Said> = {
  track: (anonymousId) => ['/v1/track', { anonymousId, event: 'forged' }],
  screen: (anonymousId) => ['/v1/screen', { anonymousId, name: 'forged' }],
  page: (anonymousId) => ['/v1/page', { anonymousId, name: 'forged' }],
  group: (anonymousId) => ['/v1/group', { anonymousId, groupId: 'forged', traits: {} }],
  identify: (anonymousId) => ['/v1/identify', { anonymousId, traits: { forged: 'yes' } }],
  'a batch': (anonymousId) => [
    '/v1/batch',
    {
      batch: [
        { type: 'track', anonymousId, event: 'forged', messageId: id() },
        { type: 'identify', anonymousId, traits: { forged: 'yes' }, messageId: id() },
      ],
    },
  ],
  'a time before the login': (anonymousId) => [
    '/v1/track',
    { anonymousId, event: 'forged', timestamp: '2020-01-01T00:00:00Z' },
  ],
  'another letter case of null': (anonymousId) => [
    '/v1/track',
    { userId: null, anonymousId, event: 'forged' },
  ],
}

describe.each(Object.entries(sayings))('by %s', (_name, say) => {
  test('an anonymous id does not speak for its person where tokens are required', async () => {
    const { person, anonymousId } = await knownPhone()
    const stranger = await headersOf('mallory')
    for (const headers of [{}, stranger]) {
      const [path, body] = say(anonymousId)
      expect(await strict.pipelines(path, body, { headers })).toMatchObject({ status: 200 })
    }
    expect(await strict.eventNames(person)).toEqual([])
    expect((await strict.person(person)).attributes).toEqual({ plan: 'pro' })
  })

  test("with the person's token it does", async () => {
    const { person, anonymousId, headers } = await knownPhone()
    const [path, body] = say(anonymousId)
    await strict.pipelines(path, body, { headers })
    const events = await strict.eventNames(person)
    const { attributes } = await strict.person(person)
    expect(events?.includes('forged') || attributes.forged === 'yes').toBe(true)
  })
})

test('where no tokens are asked for an anonymous id still speaks for its person', async () => {
  const [person, anonymousId] = [`p-${id()}`, id()]
  await cio.pipelines('/v1/identify', { userId: person, anonymousId, traits: {} })
  await cio.pipelines('/v1/track', { anonymousId, event: 'late' })
  expect(await cio.eventNames(person)).toEqual(['late'])
})

test('what happened before the login becomes the person’s', async () => {
  const [person, anonymousId] = [`p-${id()}`, id()]
  await strict.pipelines('/v1/track', { anonymousId, event: 'before' })
  const headers = await headersOf(person)
  await strict.pipelines('/v1/identify', { userId: person, anonymousId, traits: {} }, { headers })
  expect(await strict.eventNames(person)).toEqual(['before'])
})

/** A person with a number, and a backend's own person whose id looks like it. */
async function alike() {
  const named = `p-${id()}`
  await cio.call('PUT', `/v1/people/${named}`, {})
  const { rows } = await cio.database.query<{ no: string }>(
    `select lpad(to_hex(person_no), 8, '0') as no from people where id = $1`,
    [named],
  )
  return { named, looksLike: `cio_${rows[0]?.no}` }
}

test('a backend reaches its own person whose id looks like a number of ours', async () => {
  const { named, looksLike } = await alike()
  await cio.track('PUT', `/api/v1/customers/${looksLike}`, { plan: 'by number' })
  expect((await cio.person(named)).attributes.plan).toBe('by number')
  await cio.call('PUT', `/v1/people/${looksLike}`, {})
  await cio.track('PUT', `/api/v1/customers/${looksLike}`, { plan: 'own' })
  await cio.track('POST', `/api/v1/customers/${looksLike}/events`, { name: 'own' })
  await cio.batch([{ type: 'track', userId: looksLike, event: 'own, too' }], {
    basic: `${cio.secretKey}:`,
  })
  expect((await cio.person(looksLike)).attributes.plan).toBe('own')
  expect(await cio.eventNames(looksLike)).toEqual(['own', 'own, too'])
  expect((await cio.person(named)).attributes.plan).toBe('by number')
  // Said to be a number, it is one.
  const identifiers = { cio_id: looksLike.slice(4) }
  await cio.track('POST', '/api/v2/entity', {
    type: 'person',
    action: 'identify',
    identifiers,
    attributes: { plan: 'said' },
  })
  expect((await cio.person(named)).attributes.plan).toBe('said')
  // The id of a person does not change by the back door.
  const renamed = await cio.track('PUT', `/api/v1/customers/${looksLike}`, { id: 'other' })
  expect(renamed.status).toBe(400)
})

test('a public key does not put itself in the place of a number', async () => {
  const { named, looksLike } = await alike()
  await cio.call('PUT', `/v1/people/${looksLike}`, {}, asApp)
  await cio.track('PUT', `/api/v1/customers/${looksLike}`, { plan: 'pro' })
  expect((await cio.person(named)).attributes.plan).toBe('pro')
})

test('an identity token names a person whose id looks like a number', async () => {
  const { named, looksLike } = await alike()
  const headers = await headersOf(looksLike)
  const basic = `site:${cio.publicKey}`
  const path = `/api/v1/customers/${looksLike}`
  expect((await cio.track('PUT', path, { a: '1' }, { basic, headers })).status).toBe(200)
  expect((await cio.person(looksLike)).attributes).toEqual({ a: '1' })
  expect((await cio.person(named)).attributes).toEqual({})
  expect((await cio.track('PUT', path, { a: '2' }, { basic })).status).toBe(403)
})

test.each(['.', '..'])('%s is no id: no client could name it in a path', async (dots) => {
  const device = { id: randomToken(), platform: 'ios' }
  const asStrict = { headers: { 'x-strict-mode': '1' } }
  const before = await cio.countRows()
  const answers = [
    await cio.call('PUT', `/v1/devices/${device.id}`, {
      platform: 'ios',
      person_id: dots,
      app_id: cio.appId,
    }),
    await cio.pipelines('/v1/track', { userId: dots, event: 'x' }, asStrict),
    await cio.track('POST', '/api/v2/entity', {
      type: 'person',
      action: 'add_device',
      identifiers: { id: dots },
      device: { token: device.id, platform: 'ios' },
    }),
    await cio.track('PUT', `/api/v1/customers/someone@example.com`, { id: dots }),
  ]
  for (const { status } of answers) expect([400, 422]).toContain(status)
  expect(await cio.countRows()).toEqual(before)
})
