import { expect, test } from 'vitest'
import { type Item, namedBy } from '../src/core/items.ts'
import { newPhone, sent } from './harness.ts'

const minute = 60_000

/** Takes only calls of people whose token is `good <person>`. */
function required(item: Item, tokens: string[]) {
  const personId = namedBy(item)
  if (personId === null || tokens.includes(`good ${personId}`)) return null
  const code = tokens.some((token) => token.endsWith(` ${personId}`))
    ? 'identity_token_expired'
    : 'identity_token_missing'
  return { code, detail: 'no good token' }
}

test('a token given at identify goes with the person’s calls', async () => {
  const app = newPhone()
  app.server.refuse = required
  await app.client.identify('ana', {}, { identityToken: 'good ana' })
  app.relaunch()
  await app.client.track('x')
  await app.client.flush()
  expect(app.server.stored().events).toEqual([['x', 'ana']])
  expect(app.server.requests[0]?.[1].headers['x-identity-token']).toBe('good ana')
  expect(app.errors).toEqual([])
})

test('a provider is asked once, and again when the server refuses its token', async () => {
  const given = ['old ana', 'good ana']
  let asked = 0
  const app = newPhone({ identityToken: () => given[asked++] ?? null })
  app.server.refuse = required
  await app.client.identify('ana')
  await app.client.track('x')
  await app.client.flush()
  expect(app.server.stored().events).toEqual([['x', 'ana']])
  await app.client.track('y')
  await app.client.flush()
  expect(asked).toBe(2)
  expect(app.errors).toMatchObject([{ kind: 'identity', code: 'identity_token_expired' }])
})

test('without a token, the person’s calls wait and nobody else’s; they go when one comes', async () => {
  const app = newPhone()
  app.server.refuse = required
  await app.client.registerDeviceToken('T1')
  await app.client.identify('ana', { a: 1 })
  await app.client.track('x')
  await app.client.clearIdentify()
  await app.client.track('y')
  await app.client.flush()
  expect(app.errors).toEqual([
    {
      kind: 'identity',
      personId: 'ana',
      code: 'identity_token_missing',
      message: 'no good token',
    },
  ])
  expect(app.server.people.size).toBe(0)
  expect(app.server.events.map(({ name }) => name)).toEqual(['y'])
  expect(app.server.stored().devices).toMatchObject({ T1: { owner: null } })
  await app.time.pass(60 * minute)
  const before = app.server.requests.length
  await app.client.identify('ana', {}, { identityToken: 'good ana' })
  await app.client.flush()
  expect(app.server.requests.length).toBe(before + 1)
  expect(app.server.people.get('ana')).toEqual({ a: 1 })
  expect(app.server.events.map(({ name, owner }) => [name, owner])).toContainEqual(['x', 'ana'])
  expect(app.server.stored().devices).toMatchObject({ T1: { owner: 'ana' } })
})

test('logging out is possible though the token has expired', async () => {
  const app = newPhone()
  app.server.refuse = required
  await app.client.registerDeviceToken('T1')
  await app.client.identify('ana', {}, { identityToken: 'good ana' })
  await app.client.flush()
  app.server.refuse = (item, tokens) => required(item, tokens.includes('good ana') ? [] : tokens)
  await app.client.clearIdentify()
  await app.client.flush()
  expect(app.server.stored().devices).toMatchObject({ T1: { owner: null } })
})

test('the next person is not held up by the one before, whose calls wait', async () => {
  const app = newPhone()
  app.server.refuse = required
  await app.client.registerDeviceToken('T1')
  await app.client.identify('ana')
  await app.client.track('of ana')
  await app.client.identify('ben', {}, { identityToken: 'good ben' })
  await app.client.track('of ben')
  await app.client.flush()
  expect(app.server.stored()).toMatchObject({
    people: { ben: {} },
    devices: { T1: { owner: 'ben' } },
    events: [['of ben', 'ben']],
  })
  // Also after a launch, which has forgotten who was refused.
  app.relaunch()
  await app.client.flush()
  expect(app.server.stored().devices).toMatchObject({ T1: { owner: 'ben' } })
  expect(app.server.people.has('ana')).toBe(false)
})

test('the provider is asked for whoever is identified, and never for the one before', async () => {
  const asked: string[] = []
  const app = newPhone({
    identityToken: (personId) => {
      asked.push(personId)
      return personId === 'ben' ? 'good ben' : null
    },
  })
  app.server.refuse = required
  await app.client.identify('ana')
  await app.client.identify('ben')
  await app.client.flush()
  expect(asked).toEqual(['ben'])
  expect([...app.server.people.keys()]).toEqual(['ben'])
})

test('a provider that fails is asked again later, and told', async () => {
  let isUp = false
  const app = newPhone({
    identityToken: async () => {
      if (!isUp) throw new Error('backend away')
      return 'good ana'
    },
  })
  app.server.refuse = required
  await app.client.identify('ana')
  await app.client.flush()
  expect(app.errors).toContainEqual(
    expect.objectContaining({ kind: 'identity', code: 'provider_failed' }),
  )
  isUp = true
  await app.time.pass(10 * minute)
  expect(app.server.people.has('ana')).toBe(true)
})

test('a server that refuses every token is not asked without end', async () => {
  let count = 0
  const app = newPhone({ identityToken: () => `new ${++count} ana` })
  app.server.refuse = required
  await app.client.identify('ana')
  await app.client.flush()
  expect(app.server.requests.length).toBeLessThanOrEqual(2)
  await app.time.pass(60 * minute)
  expect(app.server.requests.length).toBeLessThan(40)
})

test('calls that wait for somebody who does not come back make room first', async () => {
  const app = newPhone({ queueMax: 6 })
  app.server.refuse = required
  await app.client.identify('ana')
  await app.client.track('of ana')
  await app.client.flush()
  app.server.disturb = () => ({ kind: 'cut' })
  await app.client.identify('ben', {}, { identityToken: 'good ben' })
  for (let n = 0; n < 5; n += 1) await app.client.track(`e${n}`)
  app.server.disturb = () => null
  await app.time.pass(minute)
  expect(sent(app)).toContain('track e0 by ben')
  expect(app.errors.filter(({ kind }) => kind === 'queue-full')).toHaveLength(2)
})
