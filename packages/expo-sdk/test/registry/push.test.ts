import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalRun, startLocal } from '@pushkeep/local-runner'
import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient } from '../../src/core/index.ts'
import { pushDataIn } from '../../src/expo/phone-interface.ts'
import { memoryStore } from '../harness.ts'
import { iphone, newToken } from './registry.ts'

// The whole of Pushkeep as processes: what a backend sends reaches the phone that the SDK registered,
// what the phone tells of it is counted, and after a logout nothing comes.

let directory: string
let database: TestDatabase
let running: LocalRun

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pushkeep-sdk-'))
  database = await createTestDatabase(1)
  running = await startLocal({ directory, logLevel: 'warn', databaseUrl: database.url })
}, 120_000)

afterAll(async () => {
  await running.stop()
  await database[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where it is not
async function call(method: string, url: string, body?: unknown): Promise<any> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${running.local.secret_key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return response.json()
}

/** Sends to a person, and waits until all is done. */
async function send(person_id: string) {
  const { sender_url } = running.local
  const message = { to: { person_id }, content: { title: 'Hello' } }
  const { id } = await call('POST', `${sender_url}/v1/messages`, message)
  const read = () => call('GET', `${sender_url}/v1/messages/${id}`)
  await expect.poll(async () => (await read()).state, { timeout: 30_000 }).toBe('done')
  return { id, read, counts: (await read()).counts }
}

test('a push arrives at the phone of whoever is identified, is reported once, and stops at the logout', async () => {
  const { public_key: cdpApiKey, registry_url: apiHost, simulator_url } = running.local
  const client = createClient({ cdpApiKey, apiHost, store: memoryStore(), device: iphone })
  const token = newToken()
  await client.registerDeviceToken(token)
  await client.identify('ana')
  await client.flush()

  const first = await send('ana')
  expect(first.counts).toMatchObject({ recipients: 1, sent: 1 })
  const received = await call('GET', `${simulator_url}/received?payload=1`)
  expect(received).toHaveLength(1)
  const push = pushDataIn(received[0].payload)
  expect(push).toMatchObject({ token })
  expect(await client.getDevice()).toMatchObject({ personId: 'ana', lastStatus: 'sent' })

  for (const event of ['delivered', 'opened', 'opened'] as const) {
    const { deliveryId: deliveryID = '', token: deviceToken = '' } = push ?? {}
    await client.trackMetric({ deliveryID, deviceToken, event })
  }
  await client.flush()
  expect((await first.read()).receipts).toMatchObject({ delivered: 1, opened: 1 })

  await client.clearIdentify()
  await client.flush()
  expect((await send('ana')).counts).toMatchObject({ recipients: 0, sent: 0 })
  await client.close()
}, 120_000)
