import { createKey } from '@pushkeep/store'
import { expect, test } from 'vitest'
import { createCustomerio } from './customerio.ts'

const cio = await createCustomerio()

/** The warnings about exposed keys since the log had so many lines. */
const warned = (since: number) =>
  cio.lines
    .slice(since)
    .map((line): Record<string, unknown> => JSON.parse(line))
    .filter(({ event }) => event === 'key.exposed')

async function newKey(kind: 'secret' | 'public') {
  return createKey(cio.database, { workspaceNo: cio.workspaceNo, appNo: null, kind, name: kind })
}

const event = { userId: 'ann', event: 'x' }
const browser = { origin: 'https://shop.example' }
const basicOf = (key: string) => ({ authorization: `Basic ${btoa(`${key}:`)}` })

type Use = (key: string) => Promise<{ status: number }>
const call = (path: string, body: object, headers: Record<string, string>) =>
  cio.call('POST', path, body, { key: null, headers })

/** How apps and pages use a write key. */
const inClients: Record<string, Use> = {
  'writeKey in the body': (writeKey) => call('/v1/track', { ...event, writeKey }, {}),
  'writeKey of a batch': (writeKey) =>
    call('/v1/batch', { writeKey, batch: [{ type: 'track', ...event }] }, {}),
  'settings of an SDK': (key) =>
    cio.call('GET', `/v1/projects/${key}/settings`, undefined, { key: null }),
  'Basic from a page': (key) => call('/v1/track', event, { ...basicOf(key), ...browser }),
  'Bearer from a page': (key) => cio.call('PUT', '/v1/people/ann', {}, { key, headers: browser }),
  'Bearer from a page that says only where it fetches': (key) =>
    cio.call('PUT', '/v1/people/ann', {}, { key, headers: { 'sec-fetch-site': 'cross-site' } }),
  'Track from a page': (key) =>
    cio.call(
      'PUT',
      '/api/v1/customers/ann',
      {},
      {
        key: null,
        headers: { authorization: `Basic ${btoa(`site:${key}`)}`, ...browser },
      },
    ),
}

test.each(Object.entries(inClients))('a secret key is warned of: %s', async (_name, use) => {
  const [secret, open] = [await newKey('secret'), await newKey('public')]
  const since = cio.lines.length
  for (let n = 0; n < 2; n += 1) expect((await use(secret.key)).status).toBeLessThan(300)
  await use(open.key)
  // Once an hour, by the id of the key, which is not shown.
  expect(warned(since)).toMatchObject([{ key_id: secret.id }])
  expect(cio.lines.slice(since).join('')).not.toContain(secret.key)
})

test('a backend that uses its secret key as a write key is not warned of', async () => {
  const { key } = await newKey('secret')
  const since = cio.lines.length
  await call('/v1/track', event, basicOf(key))
  await cio.call('PUT', '/v1/people/ann', {}, { key })
  expect(warned(since)).toEqual([])
})
