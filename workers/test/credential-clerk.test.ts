import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { type Simulator, startSimulator } from '@pushkeep/provider-simulator'
import {
  type Asker,
  askCheck,
  askReplacement,
  createApp,
  createWorkspace,
  type EncryptionKey,
  findTask,
  loadCredentials,
  putCredentials,
  readAudit,
} from '@pushkeep/store'
import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startClerk } from '../src/credential-clerk.ts'

let fixture: TestDatabase
let simulator: Simulator
beforeAll(async () => {
  fixture = await createTestDatabase()
  simulator = await startSimulator()
})
afterAll(async () => {
  await simulator.close()
  await fixture[Symbol.asyncDispose]()
})

const encryptionKey = randomBytes(32)

function start(key: EncryptionKey = encryptionKey) {
  const clerk = startClerk({
    database: fixture.as('workers'),
    encryptionKey: key,
    endpoints: { ...simulator.urls, ca: simulator.caPem },
    pollMs: 20,
    onError: (error) => {
      throw error
    },
  })
  return { [Symbol.asyncDispose]: () => clerk.stop() }
}

/** An app with credentials of the simulator for APNs, and somebody who may ask. */
async function createScene() {
  const { database } = fixture
  const { workspaceNo } = await createWorkspace(database, 'test')
  const app = await createApp(database, workspaceNo, 'shop')
  const { teamId, keyId, topic, privateKeyPem: secret } = simulator.credentials.apns
  const settings = { teamId, keyId, topic }
  await putCredentials(database, encryptionKey, {
    appNo: app.appNo,
    provider: 'apns',
    settings,
    secret,
  })
  const key = { id: '0193575e-0000-7000-8000-00000000000a', name: 'ops', role: 'admin' } as const
  const asker: Asker = { workspaceNo, key }
  const task = { asker, appNo: app.appNo, appId: app.id, provider: 'apns' } as const
  return { app, settings, secret, asker, task }
}

async function finished(appNo: number, id: string | null) {
  if (id === null) throw new Error('there is no box')
  const find = () => findTask(fixture.database, { appNos: [appNo], id })
  await expect.poll(async () => (await find())?.finishedAt, { timeout: 20_000 }).toBeTruthy()
  return find()
}

const strangersKey = () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

const storedSecret = async (appNo: number) =>
  (await loadCredentials(fixture.database, encryptionKey, appNo, 'apns'))?.secret

test('a check asks the provider, and is in the audit log', async () => {
  await using _clerk = start()
  const { app, task, asker } = await createScene()
  const id = await askCheck(fixture.database, task)
  expect(await finished(app.appNo, id)).toMatchObject({
    kind: 'check',
    askedBy: 'ops',
    outcome: 'works',
    findings: [
      { place: 'production', answer: 'works' },
      { place: 'sandbox', answer: 'works' },
    ],
  })
  const { entries } = await readAudit(fixture.database, {
    workspaceNo: asker.workspaceNo,
    appNo: app.appNo,
    before: null,
    limit: 10,
  })
  expect(entries).toMatchObject([{ action: 'credentials.check', key: { name: 'ops' } }])
})

test('new credentials that the provider takes replace the old ones', async () => {
  await using _clerk = start()
  const { database } = fixture
  const { app, task, settings, secret, asker } = await createScene()
  // What had been stored is of somebody else's.
  await putCredentials(database, encryptionKey, { ...task, settings, secret: strangersKey() })
  const expiresAt = new Date('2030-01-01T00:00:00Z')
  await waitForBox()
  const asked = { ...task, settings, secret, expiresAt, isForced: false }
  const id = await askReplacement(database, asked)
  const { rows: stored } = await database.query(
    'select boxed from credential_tasks where id = $1',
    [id],
  )
  expect(String(stored[0]?.boxed)).not.toContain('PRIVATE KEY')
  expect(await finished(app.appNo, id)).toMatchObject({ outcome: 'replaced' })
  expect(await storedSecret(app.appNo)).toBe(secret)
  const { rows } = await database.query(
    `select t.boxed, p.expires_at from credential_tasks t join app_providers p using (app_no)
     where t.id = $1`,
    [id],
  )
  expect(rows).toEqual([{ boxed: null, expires_at: expiresAt }])
  const { workspaceNo } = asker
  const page = { workspaceNo, appNo: null, before: null, limit: 10 }
  expect((await readAudit(database, page)).entries).toMatchObject([
    { action: 'credentials.replace', detail: { provider: 'apns', outcome: 'replaced' } },
  ])
})

test('new credentials that the provider refuses replace nothing, even by force', async () => {
  await using _clerk = start()
  const { app, task, settings, secret } = await createScene()
  await waitForBox()
  for (const isForced of [false, true]) {
    const asked = { ...task, settings, secret: strangersKey(), expiresAt: null, isForced }
    const id = await askReplacement(fixture.database, asked)
    expect(await finished(app.appNo, id)).toMatchObject({
      outcome: 'refused',
      findings: [{ reason: 'InvalidProviderToken' }, { reason: 'InvalidProviderToken' }],
    })
    expect(await storedSecret(app.appNo)).toBe(secret)
  }
})

test('what cannot be opened or read is refused with a reason, and without what it holds', async () => {
  const { database } = fixture
  const { app, task, settings } = await createScene()
  const unreadable = { ...task, settings, secret: 'not a key', expiresAt: null, isForced: true }
  {
    await using _clerk = start()
    await waitForBox()
    const id = await askReplacement(database, unreadable)
    const done = await finished(app.appNo, id)
    expect(done).toMatchObject({ outcome: 'refused', findings: [{ answer: 'refused' }] })
    expect(JSON.stringify(done)).not.toContain('not a key')
  }
  await using _other = start(randomBytes(32))
  const id = await askCheck(database, task)
  expect(await finished(app.appNo, id)).toMatchObject({
    outcome: 'refused',
    findings: [{ reason: expect.stringContaining('encryption key') }],
  })
})

test('of several workers one does it', async () => {
  await using _one = start()
  await using _two = start()
  await using _three = start()
  const { app, task, asker } = await createScene()
  const ids = await Promise.all([1, 2, 3, 4, 5].map(() => askCheck(fixture.database, task)))
  for (const id of ids) expect(await finished(app.appNo, id)).toMatchObject({ outcome: 'works' })
  const page = { workspaceNo: asker.workspaceNo, appNo: null, before: null, limit: 10 }
  expect((await readAudit(fixture.database, page)).entries).toHaveLength(5)
})

async function waitForBox(): Promise<void> {
  await expect
    .poll(async () => (await fixture.database.query('select from credential_boxes')).rowCount)
    .toBe(1)
}
