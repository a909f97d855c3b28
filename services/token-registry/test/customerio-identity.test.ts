import { setIdentityMode } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Customerio, createCustomerio, taken } from './customerio.ts'
import { newSigner, sign, trust } from './identity.ts'
import { randomToken } from './registry.ts'

/** Where the app asks for identity tokens, no dialect is a way around them. */

let cio: Customerio
const signer = newSigner('EdDSA', 'ed')

beforeAll(async () => {
  cio = await createCustomerio()
  await trust(cio.database, cio.appNo, signer)
  await setIdentityMode(cio.database, cio.appNo, 'required')
})

afterAll(() => cio[Symbol.asyncDispose]())

const tokenOf = async (sub: string) => ({ 'x-identity-token': await sign(signer, { sub }) })
const context = (token: string) => ({ device: { token, type: 'ios' } })

test('each message that names a person needs their token; the others count', async () => {
  const [mine, hers] = [randomToken(), randomToken()]
  const created = { type: 'track', event: 'Device Created or Updated' }
  const items = [
    { type: 'identify', userId: 'ana', traits: { a: 1 } },
    { type: 'identify', userId: 'eve', traits: { a: 1 } },
    { ...created, userId: 'ana', context: context(mine) },
    { ...created, userId: 'eve', context: context(hers) },
    { type: 'track', event: 'seen', userId: 'ana' },
    { type: 'track', event: 'seen', userId: 'eve' },
    { type: 'alias', userId: 'eve', previousId: 'phone' },
    { type: 'track', event: 'seen', anonymousId: 'phone' },
  ].map((item, n) => ({ ...item, messageId: `i${n}` }))
  const headers = { ...(await tokenOf('ana')), 'x-item-verdicts': 'true' }
  const answer = await cio.batch(items, { headers })
  expect(answer.status).toBe(200)
  expect(answer.body.errors).toMatchObject(
    [1, 3, 5, 6].map((n) => ({ messageId: `i${n}`, code: 'identity_token_missing' })),
  )
  expect(await cio.person('ana')).toMatchObject({ attributes: { a: 1 }, devices: [{ id: mine }] })
  expect(await cio.eventNames('ana')).toEqual(['seen'])
  expect(await cio.person('eve')).toBeNull()
  expect(await cio.device(hers)).toBeNull()

  // What was refused may come again, under the same id.
  const again = await cio.batch(items, { headers: await tokenOf('eve') })
  expect(again).toMatchObject(taken)
  expect(await cio.person('eve')).toMatchObject({ devices: [{ id: hers }] })
  expect(await cio.eventNames('ana')).toEqual(['seen'])
  expect(await cio.eventNames('eve')).toEqual(['seen', 'seen'])
})

test('a phone may always log out, and be nobody’s', async () => {
  const token = randomToken()
  const device = { event: 'Device Created or Updated', context: context(token) }
  await cio.batch([{ type: 'track', ...device, userId: 'out' }], { headers: await tokenOf('out') })
  expect(await cio.device(token)).toMatchObject({ person_id: 'out' })
  await cio.batch([{ type: 'track', ...device, anonymousId: 'next' }])
  expect(await cio.device(token)).toMatchObject({ person_id: null })
  await cio.batch([{ type: 'track', ...device, event: 'Device Deleted', userId: 'out' }])
  await cio.batch([{ type: 'track', ...device, event: 'Device Deleted', anonymousId: 'next' }])
  expect(await cio.device(token)).toBeNull()
})

test('the Track API asks a public key for one as well, a secret key never', async () => {
  const basic = `site:${cio.publicKey}`
  const device = { id: randomToken(), platform: 'ios' }
  const calls: ['PUT' | 'POST', string, object][] = [
    ['PUT', '/api/v1/customers/tom', { a: 1 }],
    ['PUT', '/api/v1/customers/tom/devices', { device }],
    ['POST', '/api/v1/customers/tom/events', { name: 'seen' }],
    [
      'POST',
      '/api/v2/entity',
      { type: 'person', action: 'identify', identifiers: { id: 'tom' }, attributes: { b: 1 } },
    ],
  ]
  for (const call of calls) {
    const answer = await cio.track(...call, { basic })
    expect(answer).toMatchObject({ status: 403, body: { meta: { error: expect.any(String) } } })
  }
  expect(await cio.person('tom')).toBeNull()
  const headers = await tokenOf('tom')
  for (const call of calls)
    expect(await cio.track(...call, { basic, headers })).toMatchObject(taken)
  expect(await cio.person('tom')).toMatchObject({ attributes: { a: 1, b: 1 } })
  expect(await cio.track('PUT', '/api/v1/customers/ben', { a: 1 })).toMatchObject(taken)
})
