import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  findKeys,
  hashKey,
  loadCredentials,
  parseEncryptionKey,
  pauseProvider,
} from '@pushkeep/store'
import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { pushkeepIn } from './in-process.ts'
import { pathOf, type Ran, runFile, temporaryFolder } from './processes.ts'

const encryptionKey = randomBytes(32).toString('base64')
let db: TestDatabase
/** What the command may do is what its role may. */
let adminUrl: string
let folder: Awaited<ReturnType<typeof temporaryFolder>>

beforeAll(async () => {
  db = await createTestDatabase()
  adminUrl = await db.urlAs('admin')
  folder = await temporaryFolder()
})

afterAll(async () => {
  await folder[Symbol.asyncDispose]()
  await db[Symbol.asyncDispose]()
})

beforeEach(async () => {
  await db.database.query(
    'truncate workspaces, people, devices, messages, idempotency_keys cascade',
  )
})

const environment = (more: Record<string, string> = {}) => ({
  DATABASE_URL: adminUrl,
  PUSHKEEP_ENCRYPTION_KEY: encryptionKey,
  PUSHKEEP_IDENTITY_KEY: encryptionKey,
  PUSHKEEP_DIRECTORY: folder.path,
  ...more,
})

/** In this process: a hundred of their own would take minutes to start. The first test has some. */
const pushkeep = (args: string[], env?: Record<string, string>) =>
  pushkeepIn(args, environment(env))

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where it is not
async function json(...args: string[]): Promise<any> {
  const ran = await pushkeep([...args, '--json'])
  expect(ran).toMatchObject({ code: 0, err: '' })
  return JSON.parse(ran.out)
}

/** Runs a command that cannot be done: one line on stderr, nothing on stdout. */
async function refusal(code: 1 | 2, ...args: string[]): Promise<string> {
  const ran = await pushkeep(args)
  expect(ran).toMatchObject({ code, out: '' })
  expect(ran.err).toMatch(/^pushkeep: [^\n]+\n$/)
  return ran.err.slice('pushkeep: '.length, -1)
}

async function newApp() {
  const workspace = await json('workspace', 'create', 'acme')
  const app = await json('app', 'create', 'shop')
  return { workspaceId: workspace.id, appId: app.id }
}

async function apnsKeyFile(): Promise<{ path: string; pem: string }> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const path = join(folder.path, 'AuthKey.p8')
  await writeFile(path, pem)
  return { path, pem }
}

async function appNoOf(appId: string): Promise<number> {
  const { rows } = await db.database.query('select app_no from apps where id = $1', [appId])
  return rows[0].app_no
}

const apns = (appId: string, path: string) => [
  ...['app', 'credentials', 'apns', '--app', appId, '--key-file', path],
  ...['--key-id', 'ABCDE12345', '--team-id', 'TEAM012345', '--topic', 'com.example.shop'],
]

test('the command that is installed prints, refuses and ends with its code', async () => {
  const installed = (...args: string[]): Promise<Ran> =>
    runFile(pathOf('../bin/pushkeep.js'), args, environment())
  const [created, refused, unknown] = await Promise.all([
    installed('workspace', 'create', 'acme', '--json'),
    installed('app', 'list', '--workspace', '01900000-0000-7000-8000-000000000000'),
    installed('workspace', 'paint'),
  ])
  expect(created).toMatchObject({ code: 0, err: '' })
  expect(JSON.parse(created.out)).toMatchObject({ name: 'acme' })
  expect(refused).toMatchObject({ code: 1, out: '' })
  expect(refused.err).toMatch(/^pushkeep: there is no workspace [^\n]+\n$/)
  expect(unknown).toMatchObject({ code: 2, out: '' })
}, 120_000)

test('a workspace is created and listed, as text and as JSON', async () => {
  const created = await pushkeep(['workspace', 'create', 'acme'])
  expect(created).toMatchObject({ code: 0, err: '' })
  const id = created.out.trim()
  expect((await pushkeep(['workspace', 'list'])).out).toBe(`${id}  acme\n`)
  expect(await json('workspace', 'list')).toEqual([
    { id, name: 'acme', created_at: expect.any(String) },
  ])
})

test('an app goes to the only workspace, or to the one that is named', async () => {
  const first = await json('workspace', 'create', 'first')
  expect(await json('app', 'create', 'shop')).toMatchObject({ workspace_id: first.id })
  const second = await json('workspace', 'create', 'second')
  expect(await refusal(2, 'app', 'create', 'news')).toMatch('say --workspace <id>')
  await json('app', 'create', 'news', '--workspace', second.id)
  expect(await json('app', 'list', '--workspace', second.id)).toMatchObject([{ name: 'news' }])
  expect(await json('app', 'list')).toMatchObject([{ name: 'shop' }, { name: 'news' }])
})

test('a new app requires identity tokens unless it is told otherwise', async () => {
  await json('workspace', 'create', 'acme')
  const first = await pushkeep(['app', 'create', 'shop'])
  expect(first).toMatchObject({ code: 0 })
  // Scripts read the id alone from the standard output.
  expect(first.out).toMatch(/^[0-9a-f-]{36}\n$/)
  expect(first.err).toMatch('app identity add')
  expect(await json('app', 'create', 'news')).toMatchObject({ identity_mode: 'required' })
  // The strictest holds, so that this one is not open: nothing says that it is.
  const lax = await pushkeep(['app', 'create', 'lax', '--identity', 'off'])
  expect(lax.err).toMatch('Identity mode required')
  expect(await json('app', 'list')).toMatchObject([
    { identity_mode: 'required' },
    { identity_mode: 'required' },
    { identity_mode: 'off' },
  ])
})

test.each(['off', 'log'])(
  'beside apps with mode %s the mode of a new one has to be said',
  async (mode) => {
    await json('workspace', 'create', 'acme')
    const open = await pushkeep(['app', 'create', 'shop', '--identity', mode])
    expect(open.err).toMatch('may register a phone for any person')
    expect(await refusal(2, 'app', 'create', 'news')).toMatch(`say --identity ${mode}`)
    expect(await json('app', 'list')).toHaveLength(1)
    const created = await json('app', 'create', 'news', '--identity', 'required')
    expect(created).toMatchObject({ identity_mode: 'required' })
    expect(await refusal(2, 'app', 'create', 'x', '--identity', 'maybe')).toMatch('required')
  },
)

test('APNs credentials are stored encrypted, and nothing prints them', async () => {
  const { appId } = await newApp()
  const { path, pem } = await apnsKeyFile()
  const stored = await pushkeep([...apns(appId, path), '--environment', 'sandbox', '--json'])
  const listed = await pushkeep(['app', 'list', '--json'])
  const settings = { teamId: 'TEAM012345', keyId: 'ABCDE12345', topic: 'com.example.shop' }
  expect(JSON.parse(stored.out)).toEqual({
    ...{ app_id: appId, provider: 'apns', settings: { ...settings, environment: 'sandbox' } },
  })
  const body = pem.split('\n')[1] ?? 'missing'
  expect(stored.out + stored.err + listed.out).not.toContain(body)
  const key = parseEncryptionKey(encryptionKey)
  const kept = await loadCredentials(db.database, key, await appNoOf(appId), 'apns')
  expect(kept?.secret).toBe(pem)
})

test('a service account is stored, a file that is none is refused without being repeated', async () => {
  const { appId } = await newApp()
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const account = {
    type: 'service_account',
    project_id: 'shop-1',
    private_key_id: 'a1',
    private_key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    client_email: 'push@shop-1.iam.gserviceaccount.com',
    client_id: '1',
    token_uri: 'https://oauth2.googleapis.com/token',
  }
  const path = join(folder.path, 'account.json')
  const command = ['app', 'credentials', 'fcm', '--app', appId, '--service-account-file', path]
  await writeFile(path, JSON.stringify(account))
  expect((await json(...command)).settings).toEqual({
    projectId: 'shop-1',
    clientEmail: account.client_email,
  })
  await writeFile(path, 'hush-hush, not JSON')
  expect(await refusal(1, ...command)).not.toContain('hush')
})

test('what is wrong with a key file or an option is said in one line', async () => {
  const { appId } = await newApp()
  const { path } = await apnsKeyFile()
  expect(await refusal(1, ...apns(appId, `${path}.missing`))).toMatch('--key-file')
  await writeFile(path, 'no key at all')
  expect(await refusal(1, ...apns(appId, path))).toMatch('--key-file')
  expect(await refusal(2, ...apns('not-an-id', path))).toBe('--app must be an id (a UUID)')
  expect(await refusal(2, 'app', 'credentials', 'apns', '--app', appId)).toMatch('--key-file')
})

test('a key is printed once and works until it is revoked', async () => {
  const { workspaceId, appId } = await newApp()
  const created = await json('key', 'create', '--kind', 'public', '--app', appId, '--name', 'ios')
  expect(created).toMatchObject({ kind: 'public', workspace_id: workspaceId, app_id: appId })
  const owners = () => findKeys(db.database, [hashKey(created.key)])
  expect(await owners()).toMatchObject([{ kind: 'public', appNo: await appNoOf(appId) }])
  const listed = await pushkeep(['key', 'list', '--json'])
  expect(JSON.parse(listed.out)).toMatchObject([{ id: created.id, name: 'ios', revoked_at: null }])
  expect(listed.out).not.toContain(created.key)
  expect(await json('key', 'revoke', created.id)).toEqual({ id: created.id, revoked: true })
  expect(await owners()).toEqual([null])
  expect(await json('key', 'revoke', created.id)).toEqual({ id: created.id, revoked: false })
})

test('a paused provider that nothing waits for is resumed, and says what led to the pause', async () => {
  const { appId } = await newApp()
  expect(await refusal(1, 'app', 'resume', appId, 'apns')).toMatch('no credentials for apns')
  expect((await pushkeep(apns(appId, (await apnsKeyFile()).path))).code).toBe(0)
  await pauseProvider(db.database, await appNoOf(appId), 'apns', 'the key is revoked')
  expect((await pushkeep(['app', 'list'])).out).toMatch('apns (paused: the key is revoked)')
  expect(await json('app', 'resume', appId, 'apns')).toMatchObject({ kind: 'open', restored: 0 })
  const cause = { messageNo: '1', deviceNo: 7, agreed: 20 }
  await pauseProvider(db.database, await appNoOf(appId), 'apns', 'TopicDisallowed', cause)
  expect((await pushkeep(['app', 'list'])).out).toMatch(
    'apns (paused: TopicDisallowed; message not kept, device 7, 20 people agreed)',
  )
  const [paused] = await json('app', 'list')
  expect(paused.providers[0].pause_cause).toEqual({
    message_id: null,
    person_id: null,
    device: 7,
    agreed: 20,
  })
  expect(await json('app', 'resume', appId, 'apns')).toMatchObject({ kind: 'open' })
  const [app] = await json('app', 'list')
  expect(app.providers).toMatchObject([{ provider: 'apns', paused_at: null, pause_cause: null }])
})

test('identity tokens: keys of both kinds, and the mode, which needs one', async () => {
  const { appId } = await newApp()
  const identity = ['app', 'identity']
  expect(await refusal(1, ...identity, 'mode', appId, 'required')).toMatch('no key yet')
  const { publicKey } = generateKeyPairSync('ed25519')
  const pem = String(publicKey.export({ type: 'spki', format: 'pem' })).trim()
  const secret = randomBytes(32).toString('base64url')
  const path = join(folder.path, 'identity-key')
  const add = [...identity, 'add', appId, '--key-file', path, '--algorithm']
  await writeFile(path, `${pem}\n`)
  await json(...add, 'EdDSA', '--kid', 'first')
  await writeFile(path, `${secret}\n`)
  await json(...add, 'HS256', '--kid', 'second')
  expect(await json(...identity, 'mode', appId, 'required')).toEqual({
    app_id: appId,
    mode: 'required',
    held_to: 'required',
  })
  const listed = await pushkeep([...identity, 'list', appId, '--json'])
  expect(JSON.parse(listed.out)).toMatchObject({
    mode: 'required',
    keys: [
      { kid: 'first', algorithm: 'EdDSA', public_key: pem },
      { kid: 'second', algorithm: 'HS256', public_key: null },
    ],
  })
  const { rows } = await db.database.query(
    'select secret from identity_keys where secret is not null',
  )
  expect(listed.out + String(rows[0].secret)).not.toContain(secret)
  await json(...identity, 'remove', appId, 'first')
  expect(await refusal(1, ...identity, 'remove', appId, 'first')).toMatch('has no key first')
  expect(await refusal(1, ...identity, 'remove', appId, 'second')).toMatch('the last key')
})

test('the mode that holds is that of the strictest app, and the command says so', async () => {
  const { appId } = await newApp()
  await json('app', 'create', 'strict', '--identity', 'required')
  const changed = await pushkeep(['app', 'identity', 'mode', appId, 'off'])
  expect(changed.out).toBe(`Identity tokens of app ${appId}: off.\n`)
  expect(changed.err).toMatch('holds for all apps of the workspace: required')
  expect(await json('app', 'identity', 'mode', appId, 'log')).toMatchObject({ held_to: 'required' })
})

test('a key that does not fit its algorithm is refused, and a private one never taken', async () => {
  const { appId } = await newApp()
  const path = join(folder.path, 'identity-key')
  const add = (algorithm: string) => [
    ...['app', 'identity', 'add', appId, '--key-file', path, '--kid', 'k'],
    ...['--algorithm', algorithm],
  ]
  const { pem } = await apnsKeyFile()
  await writeFile(path, pem)
  expect(await refusal(1, ...add('ES256'))).toBe('--key-file is a private key: give the public one')
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  await writeFile(path, publicKey.export({ type: 'spki', format: 'pem' }))
  expect(await refusal(1, ...add('RS256'))).toMatch('at least 2048 bits')
  expect(await refusal(1, ...add('ES256'))).toMatch('must be a P-256 key')
  await writeFile(path, 'too short')
  expect(await refusal(1, ...add('HS256'))).toMatch('at least 32 bytes')
  expect(await refusal(1, ...add('EdDSA'))).toMatch('must be a public key as PEM')
  expect(await refusal(2, ...add('HS512'))).toMatch('algorithm')
})

test("an app's pushes do without the keys of Customer.io's SDKs, at once", async () => {
  const { appId } = await newApp()
  expect((await pushkeep(apns(appId, (await apnsKeyFile()).path))).code).toBe(0)
  const stored = async () => {
    const key = parseEncryptionKey(encryptionKey)
    return loadCredentials(db.database, key, await appNoOf(appId), 'apns')
  }
  expect(await json('app', 'list')).toMatchObject([{ sdk_keys: true }])
  expect(await stored()).toMatchObject({ sdkKeys: true, version: 1 })
  const set = await json('app', 'set', appId, '--sdk-keys', 'off')
  expect(set).toEqual({ app_id: appId, sdk_keys: false })
  expect(await json('app', 'list')).toMatchObject([{ sdk_keys: false }])
  // A new version: whoever sends opens the credentials anew.
  expect(await stored()).toMatchObject({ sdkKeys: false, version: 2 })
  await json('app', 'set', appId, '--sdk-keys', 'off')
  expect(await stored()).toMatchObject({ version: 2 })
  expect(await refusal(2, 'app', 'set', appId)).toMatch('--sdk-keys')
  expect(await refusal(2, 'app', 'set', appId, '--sdk-keys', 'maybe')).toMatch('on, off')
})

test('migrating a database that is up to date does nothing', async () => {
  expect(await json('migrate')).toEqual({ applied: [] })
})

test('a database that is away, empty or unknown is told apart', async () => {
  const env = (url: string) => ({ DATABASE_URL: url })
  const at = async (url: string) => (await pushkeep(['workspace', 'list'], env(url))).err
  expect(await at('postgres://x:x@127.0.0.1:1/x')).toMatch('the database does not answer')
  expect(await at(adminUrl.replace(/test_\w+$/, 'postgres'))).toMatch('run pushkeep migrate')
  expect(await at(adminUrl.replace(/test_\w+$/, 'no_such'))).toMatch('does not exist')
  expect(await at('not a url')).toMatch('DATABASE_URL is not a URL')
  expect(await at('')).toMatch('no database: set DATABASE_URL')
})

test('an unknown command or a missing one ends with 2', async () => {
  expect(await refusal(2, 'workspace', 'paint')).toMatch('unknown command')
  expect((await pushkeep(['workspace'])).code).toBe(2)
  expect((await pushkeep([])).code).toBe(2)
  expect((await pushkeep(['--help'])).code).toBe(0)
})

test('a secret key has a role, operate unless another is said; a public one has none', async () => {
  await newApp()
  const backend = await json('key', 'create', '--kind', 'secret')
  const support = await json('key', 'create', '--kind', 'secret', '--role', 'read')
  const phones = await json('key', 'create', '--kind', 'public')
  expect([backend.role, support.role, phones.role]).toEqual(['operate', 'read', null])
  const owners = await findKeys(db.database, [hashKey(support.key)])
  expect(owners).toMatchObject([{ role: 'read' }])
  expect((await pushkeep(['key', 'list'])).out).toContain('secret, read')
  expect(await refusal(2, 'key', 'create', '--kind', 'public', '--role', 'read')).toMatch('--role')
  expect(await refusal(2, 'key', 'create', '--kind', 'secret', '--role', 'root')).toMatch('admin')
})

test('what the command does is in the audit log, which is checked for gaps', async () => {
  const { appId } = await newApp()
  const { path, pem } = await apnsKeyFile()
  await json(...apns(appId, path), '--expires', '2030-01-31')
  const { id, key } = await json('key', 'create', '--kind', 'secret', '--name', 'backend')
  await json('key', 'revoke', id)
  await json('key', 'revoke', id)
  const listed = await pushkeep(['audit', 'list', '--json'])
  expect(JSON.parse(listed.out)).toMatchObject([
    { number: 5, key: null, action: 'key.revoke', target: { kind: 'key', id } },
    { action: 'key.create', detail: { name: 'backend', kind: 'secret', role: 'operate' } },
    { action: 'credentials.replace', target: { kind: 'app', id: appId } },
    { action: 'app.create', target: { kind: 'app', id: appId } },
    { number: 1, action: 'workspace.create', is_intact: true },
  ])
  for (const secret of [key, pem.split('\n')[1] ?? '']) expect(listed.out).not.toContain(secret)
  expect(await json('audit', 'verify')).toEqual({ checked: 5, last: 5 })
  const { rows } = await db.database.query('select expires_at from app_providers')
  expect(rows).toEqual([{ expires_at: new Date('2030-01-31T00:00:00Z') }])

  await db.database.query('alter table audit_log disable trigger audit_log_kept')
  await db.database.query(
    `delete from audit_log where entry_no = 3 and workspace_no = (select workspace_no from workspaces)`,
  )
  await db.database.query('alter table audit_log enable trigger audit_log_kept')
  expect(await refusal(1, 'audit', 'verify')).toMatch('4')
  expect((await pushkeep(['audit', 'list'])).out).toContain('the one before it is missing')
  expect(await refusal(2, ...apns(appId, path), '--expires', 'soon')).toMatch('2027-01-31')
})

test('a head of the audit log that was kept shows what was cut off or written anew', async () => {
  const { workspaceId } = await newApp()
  const kept = join(folder.path, 'head.json')
  const signed = await json('audit', 'head')
  expect(signed).toMatchObject({ entry: 2, hash: expect.stringMatching(/^[0-9a-f]{64}$/) })
  await writeFile(kept, JSON.stringify(signed))
  await json('key', 'create', '--kind', 'secret')
  expect(await json('audit', 'verify', '--head', kept)).toEqual({ checked: 3, last: 3, head: 2 })
  // With a key that nobody knows here, it has to be named.
  const other = { PUSHKEEP_ENCRYPTION_KEY: randomBytes(32).toString('base64') }
  const strange = await pushkeep(['audit', 'verify', '--head', kept], other)
  expect(strange.err).toContain('--public-key')
  const named = ['audit', 'verify', '--head', kept, '--public-key', signed.public_key]
  expect(await pushkeep(named, other)).toMatchObject({ code: 0 })
  // After a rotation the former key still tells.
  const rotated = { PUSHKEEP_ENCRYPTION_KEY: `${other.PUSHKEEP_ENCRYPTION_KEY},${encryptionKey}` }
  expect(await pushkeep(['audit', 'verify', '--head', kept], rotated)).toMatchObject({ code: 0 })

  const forged = join(folder.path, 'forged.json')
  await writeFile(forged, JSON.stringify({ ...signed, entry: 1 }))
  expect(await refusal(1, 'audit', 'verify', '--head', forged)).toMatch('signature')
  await writeFile(forged, '{"entry": 1}')
  expect(await refusal(1, 'audit', 'verify', '--head', forged)).toMatch('audit head')

  const { rows } = await db.database.query('select workspace_no as no from workspaces')
  await db.database.query('alter table audit_log disable trigger audit_log_kept')
  await db.database.query('delete from audit_log where workspace_no = $1 and entry_no > 1', [
    rows[0]?.no,
  ])
  await db.database.query('alter table audit_log enable trigger audit_log_kept')
  // The chain alone does not show it.
  expect(await json('audit', 'verify')).toEqual({ checked: 1, last: 1 })
  expect(await refusal(1, 'audit', 'verify', '--head', kept)).toMatch('entry 2 is gone')
  await json('key', 'create', '--kind', 'secret', '--workspace', workspaceId)
  expect(await json('audit', 'verify')).toEqual({ checked: 2, last: 2 })
  expect(await refusal(1, 'audit', 'verify', '--head', kept)).toMatch('entry 2 is another one')
})

test('encryption rotate seals everything with the first key, and says what is left', async () => {
  const { appId } = await newApp()
  const { path, pem } = await apnsKeyFile()
  await json(...apns(appId, path))
  const secret = join(folder.path, 'shared-secret')
  await writeFile(secret, 's'.repeat(40))
  await json(
    'app',
    'identity',
    'add',
    appId,
    '--kid',
    'k1',
    '--algorithm',
    'HS256',
    '--key-file',
    secret,
  )
  const next = randomBytes(32).toString('base64')
  const both = `${next},${encryptionKey}`
  const env = { PUSHKEEP_ENCRYPTION_KEY: both, PUSHKEEP_IDENTITY_KEY: both }
  const run = async (...args: string[]) =>
    JSON.parse((await pushkeep([...args, '--json'], env)).out)
  expect(await run('encryption', 'status')).toEqual({
    credentials: { current: 0, earlier: 1, unknown: 0 },
    identity_secrets: { current: 0, earlier: 1, unknown: 0 },
  })
  expect(await run('encryption', 'rotate')).toEqual({
    credentials: { resealed: 1, unopened: [] },
    identity_secrets: { resealed: 1, unopened: [] },
  })
  expect(await run('encryption', 'rotate')).toMatchObject({ credentials: { resealed: 0 } })
  const { rows } = await db.database.query<{ no: number }>('select app_no as no from apps')
  const opened = await loadCredentials(
    db.database,
    parseEncryptionKey(next),
    rows[0]?.no ?? 0,
    'apns',
  )
  expect(opened?.secret.trim()).toBe(pem.trim())
  expect((await pushkeep(['audit', 'list', '--installation'])).out).toContain('encryption.rotate')
  // The old key alone opens nothing any more, and says whose it was.
  const old = await pushkeep(['encryption', 'rotate'])
  expect(old).toMatchObject({
    code: 1,
    out: expect.stringContaining('none of the keys opens apns'),
  })
})

test('exports and imports are in the audit log before the first line', async () => {
  const { workspaceId } = await newApp()
  const file = join(folder.path, 'people.ndjson')
  await writeFile(file, '{"id": "ana"}\n')
  await pushkeep(['import', file, '--quiet', '--workspace', workspaceId])
  await pushkeep(['export', join(folder.path, 'out.ndjson'), '--workspace', workspaceId])
  const listed = await json('audit', 'list')
  expect(listed.slice(0, 2)).toMatchObject([
    { action: 'data.export', key: null, address: null, is_intact: true },
    { action: 'data.import', key: null, is_intact: true },
  ])
})
