import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { buildOperations, createLevelSwitch, createLogger, createMetrics } from '@pushkeep/runtime'
import {
  addActivity,
  createApp,
  createKey,
  createWorkspace,
  parseEncryptionKey,
  pauseProvider,
  putCredentials,
  putIdentityKey,
} from '@pushkeep/store'
import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import type { Finding } from '../src/cli/doctor/finding.ts'
import { pushkeepIn } from './in-process.ts'
import { temporaryFolder } from './processes.ts'

let db: TestDatabase
let folder: Awaited<ReturnType<typeof temporaryFolder>>

beforeAll(async () => {
  db = await createTestDatabase()
  folder = await temporaryFolder()
})

afterAll(async () => {
  await folder[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
})

beforeEach(() =>
  db.database.query('truncate workspaces, people, devices, messages, idempotency_keys cascade'),
)

const encryptionKey = randomBytes(32).toString('base64')

interface Examined {
  code: number | null
  text: string
  problems: number
  findings: Finding[]
}

async function doctor(env: Record<string, string> = {}, ...args: string[]): Promise<Examined> {
  const { code, out, err } = await pushkeepIn(['doctor', '--json', ...args], {
    DATABASE_URL: db.url,
    PUSHKEEP_ENCRYPTION_KEY: encryptionKey,
    PUSHKEEP_DIRECTORY: folder.path,
    ...env,
  })
  expect(err).toBe('')
  return { code, text: out, ...JSON.parse(out) }
}

const of = ({ findings }: Examined, check: string) =>
  findings.filter((finding) => finding.check === check)
const levels = (examined: Examined, check: string) => of(examined, check).map(({ level }) => level)

/** A process's operations port, as the processes open it. */
async function operations(version: string): Promise<string> {
  const logger = createLogger({ name: 'workers', level: 'silent' })
  const program = { name: 'workers', version }
  const metrics = createMetrics(program)
  const options = { ...program, logger, metrics, database: db.database }
  const app = buildOperations(options, createLevelSwitch(logger))
  onTestFinished(() => app.close())
  return app.listen({ host: '127.0.0.1', port: 0 })
}

const report = () => {
  const worker = '01900000-0000-7000-8000-000000000000'
  return addActivity(db.database, { worker, startedAt: Date.now(), breakers: [] }, [], [])
}

function identityKey() {
  const { publicKey } = generateKeyPairSync('ed25519')
  const key = String(publicKey.export({ type: 'spki', format: 'pem' }))
  return { kid: 'backend', algorithm: 'EdDSA', key } as const
}

async function appWithKey(sealedWith = encryptionKey) {
  const { workspaceNo } = await createWorkspace(db.database, 'acme')
  const app = await createApp(db.database, workspaceNo, 'shop', 'required')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const secret = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
  await putCredentials(db.database, parseEncryptionKey(sealedWith), {
    appNo: app.appNo,
    provider: 'apns',
    settings: { teamId: 'TEAM012345', keyId: 'ABCDE12345', topic: 'com.example.shop' },
    secret,
  })
  return { app, secret }
}

test('all is well where database, process, workers and credentials are', async () => {
  const { app, secret } = await appWithKey()
  const { workspaceNo } = app
  await putIdentityKey(db.database, { appNo: app.appNo, ...identityKey() }, null)
  const onCall = { workspaceNo, appNo: null, kind: 'secret', name: 'on call' } as const
  await createKey(db.database, { ...onCall, isInstallation: true })
  await report()
  const url = await operations(packageJson.version)
  const outcomes = join(folder.path, 'well')
  await mkdir(outcomes)
  const examined = await doctor(
    { PUSHKEEP_OPERATIONS_URLS: `${url}/metrics`, OUTCOME_JOURNAL_DIR: outcomes },
    '--no-providers',
  )
  expect(examined).toMatchObject({ code: 0, problems: 0, warnings: 0 })
  expect(new Set(examined.findings.map(({ check }) => check))).toEqual(
    new Set([
      ...[
        'node',
        'database',
        'schema',
        'roles',
        'connections',
        'clock',
        'queues',
        'processes',
        'workers',
      ],
      ...['versions', 'credentials', 'identity', 'keys', 'backlog', 'books', 'journal'],
    ]),
  )
  for (const hidden of [secret.split('\n')[1] ?? '', encryptionKey, new URL(db.url).password]) {
    if (hidden !== '') expect(examined.text).not.toContain(hidden)
  }
})

test('a paused lane, an app without credentials and a provider that is away, each with what to do', async () => {
  const { app } = await appWithKey()
  await createApp(db.database, app.workspaceNo, 'news')
  const nowhere = {
    APNS_PRODUCTION_URL: 'https://127.0.0.1:1',
    APNS_SANDBOX_URL: 'https://127.0.0.1:1',
  }
  expect(of(await doctor(nowhere), 'credentials')).toMatchObject([
    { level: 'warning', said: expect.stringContaining('could not be tried from here') },
    { level: 'warning', said: expect.stringContaining('news') },
  ])
  await pauseProvider(db.database, app.appNo, 'apns', `bad ${'ab'.repeat(32)}`)
  const paused = await doctor({}, '--no-providers')
  expect(paused.code).toBe(1)
  expect(of(paused, 'credentials')[0]).toMatchObject({
    level: 'problem',
    said: expect.stringContaining('is paused: bad [secret]'),
    todo: expect.stringContaining(`pushkeep app resume ${app.id} apns`),
  })
})

test('credentials of another key, and a key that is none', async () => {
  await appWithKey(randomBytes(32).toString('base64'))
  expect(of(await doctor({}, '--no-providers'), 'credentials')).toMatchObject([
    { level: 'problem', said: expect.stringContaining('another PUSHKEEP_ENCRYPTION_KEY') },
  ])
  const unkeyed = await doctor({ PUSHKEEP_ENCRYPTION_KEY: '' }, '--no-providers')
  expect(levels(unkeyed, 'credentials')).toEqual(['warning'])
  const miskeyed = await doctor({ PUSHKEEP_ENCRYPTION_KEY: 'hush' }, '--no-providers')
  expect(levels(miskeyed, 'credentials')).toEqual(['problem'])
  expect(miskeyed.text).not.toContain('hush')
})

test('a process of another version, one that is down, and workers that say nothing', async () => {
  await db.database.query('delete from worker_reports')
  const other = await operations('9.9.9')
  const examined = await doctor({
    PUSHKEEP_OPERATIONS_URLS: `${other}, http://127.0.0.1:1`,
    PUSHKEEP_SENDER_URL: 'http://127.0.0.1:1/',
  })
  expect(of(examined, 'processes').map(({ level, said }) => [level, said])).toEqual([
    ['problem', expect.stringMatching(/^push-sender at 127.0.0.1:1 does not answer/)],
    ['ok', expect.stringMatching(/^workers at /)],
    ['problem', expect.stringMatching(/^process at 127.0.0.1:1 does not answer/)],
  ])
  expect(of(examined, 'versions')).toMatchObject([
    { level: 'warning', said: `workers 9.9.9, this command ${packageJson.version}` },
  ])
  expect(levels(examined, 'workers')).toEqual(['problem'])
})

test('work that nobody does is told', async () => {
  await db.database.query(
    `insert into outbox (queue, ref, due_at) values ('plan', '1', now() - interval '1 minute')`,
  )
  onTestFinished(async () => void (await db.database.query('truncate outbox')))
  expect(of(await doctor(), 'backlog')).toMatchObject([
    { level: 'problem', said: 'doorbells waited for 60 seconds and could go now' },
  ])
})

test('a database that is away, one without tables, one of an older version', async () => {
  const away = await doctor({ DATABASE_URL: 'postgres://x:hushhush@127.0.0.1:1/x' })
  expect(levels(away, 'database')).toEqual(['problem'])
  expect(away.text).not.toContain('hushhush')
  const empty = await doctor({ DATABASE_URL: db.url.replace(/test_\w+$/, 'postgres') })
  expect(of(empty, 'schema')).toMatchObject([{ level: 'problem', todo: 'run pushkeep migrate' }])
  const last = `(select max(name) from migrations)`
  await db.database.query(`update migrations set name = '9999_later.sql' where name = ${last}`)
  const mixed = await doctor()
  expect(of(mixed, 'schema')).toMatchObject([
    { level: 'problem', said: expect.stringContaining('1 migration missing') },
  ])
  expect(mixed.code).toBe(1)
})

test('without a database in the environment it looks at the run here, which there is none of', async () => {
  // Where somebody else has it already, that is as good.
  const taken = createServer().on('error', () => {})
  taken.listen(7001, '127.0.0.1')
  onTestFinished(() => void taken.close())
  const examined = await doctor({ DATABASE_URL: '' })
  expect(of(examined, 'database')).toMatchObject([
    { level: 'problem', said: expect.stringContaining('set DATABASE_URL') },
  ])
  expect(of(examined, 'ports')).toMatchObject([
    { level: 'warning', said: expect.stringContaining('7001') },
  ])
})

test('a folder of outcomes that is not there, or is closed', async () => {
  const closed = join(folder.path, 'closed')
  await mkdir(closed)
  await chmod(closed, 0o500)
  expect(levels(await doctor({ OUTCOME_JOURNAL_DIR: `${closed}/none` }), 'journal')).toEqual([
    'problem',
  ])
  // Root may write everywhere.
  const isRoot = process.getuid?.() === 0
  expect(levels(await doctor({ OUTCOME_JOURNAL_DIR: closed }), 'journal')).toEqual([
    isRoot ? 'ok' : 'problem',
  ])
})

test('a Redis is asked how it is set, and one that is away is told without its password', async () => {
  const away = await doctor({ REDIS_URL: 'redis://:hushhush@127.0.0.1:1' })
  expect(of(away, 'queues')).toMatchObject([
    { level: 'problem', said: 'Redis at 127.0.0.1:1: ECONNREFUSED' },
  ])
  expect(away.text).not.toContain('hushhush')
  const redisUrl = inject('redisUrl')
  if (redisUrl === null) return
  expect(of(await doctor({ REDIS_URL: redisUrl }), 'queues')).toMatchObject([
    { level: 'ok', said: expect.stringMatching(/^Redis \d.*noeviction, append-only file on$/) },
  ])
})
