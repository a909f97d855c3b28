import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createApp, createWorkspace } from '@pushkeep/store'
import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { pushkeepIn } from './in-process.ts'
import { pathOf, runFile, temporaryFolder } from './processes.ts'

let db: TestDatabase
/** What the command may do is what its role may. */
let adminUrl: string
let folder: Awaited<ReturnType<typeof temporaryFolder>>
let count = 0

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
  await db.database.query('truncate workspaces, people, devices, device_events, messages cascade')
})

const cli = pathOf('../src/cli.ts')
const env = (url = adminUrl) => ({ DATABASE_URL: url, PUSHKEEP_DIRECTORY: folder.path })

/** A dozen processes would take half a minute to start: in this one, and only what must be in one of its own. */
const pushkeep = (args: string[], url?: string) =>
  pushkeepIn([...args, ...(args[0] === 'import' ? ['--quiet'] : [])], env(url))

async function newApp(database = db.database) {
  const { workspaceNo } = await createWorkspace(database, 'acme')
  return createApp(database, workspaceNo, 'shop')
}

async function fileOf(name: string, lines: readonly string[]): Promise<string> {
  const file = join(folder.path, `${count++}-${name}`)
  await writeFile(file, lines.map((line) => `${line}\n`).join(''))
  return file
}

async function reportOf(
  file: string,
): Promise<{ line: number; verdict: string; errors?: unknown }[]> {
  const text = await readFile(`${file}.report.ndjson`, 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

const tokenOf = (n: number) => createHash('sha256').update(`token ${n}`).digest('hex')
const newToken = () => randomBytes(32).toString('hex')

/** The devices with these tokens, in the same order; all that there are, if they are none else. */
async function devices(...tokens: string[]) {
  const { rows } = await db.database.query<{ token: string }>(
    `select d.token, p.id as person, d.attributes, d.push_permission, d.last_used::int, d.environment,
            d.platform
     from devices d left join people p using (person_no)`,
  )
  const found = tokens.map((token) => rows.find((row) => row.token === token))
  return rows.length === tokens.length ? found : rows
}

test('people and devices of a file of JSON lines, with a verdict for each', async () => {
  await newApp()
  const [one, two] = [newToken(), newToken()]
  const file = await fileOf('a.ndjson', [
    '{"id": "ana", "attributes": {"plan": {"name": "pro"}}}',
    `{"token": "${one}", "platform": "iOS", "person_id": "ana", "last_used": 1763900000, "attributes": {"push_enabled": false, "theme": "dark"}}`,
    '',
    `{"type": "device", "token": "${two}", "platform": "ios", "person_id": "ben", "environment": "sandbox", "person_attributes": {"vip": true}}`,
  ])
  const ran = await pushkeep(['import', file])
  expect(ran.code).toBe(0)
  expect(ran.out).toMatch(/^2 created, 0 updated, 1 identified, 0 late, 0 invalid \(/)
  expect(await devices(one, two)).toEqual([
    {
      ...{ token: one, person: 'ana', platform: 'ios', environment: null, last_used: 1763900000 },
      ...{ attributes: { theme: 'dark' }, push_permission: false },
    },
    expect.objectContaining({ token: two, person: 'ben', environment: 'sandbox' }),
  ])
  expect(await reportOf(file)).toEqual([
    { line: 1, verdict: 'identified' },
    { line: 2, verdict: 'created' },
    { line: 4, verdict: 'created' },
  ])
  expect(existsSync(`${file}.checkpoint.json`)).toBe(false)
  expect((await stat(`${file}.report.ndjson`)).mode & 0o777).toBe(0o600)
  const again = await pushkeep(['import', file, '--json'])
  expect(JSON.parse(again.out)).toMatchObject({ created: 0, updated: 2, identified: 1, invalid: 0 })
  expect(again.err).toBe('')
})

test('bad lines are told by number and field, without their values, and stop nothing', async () => {
  await newApp()
  const good = newToken()
  const secret = 'x'.repeat(30)
  const file = await fileOf('bad.ndjson', [
    'no json',
    `{"token": "${secret}", "platform": "ios"}`,
    `{"token": "${newToken()}", "platform": "symbian"}`,
    `{"token": "${newToken()}", "platform": "ios", "last_used": 1763900000000}`,
    `{"token": "${newToken()}", "platform": "ios", "color": "red"}`,
    `{"token": "${newToken()}", "platform": "ios", "attributes": {"__proto__": {"a": 1}}}`,
    `{"token": "${newToken()}", "platform": "ios", "attributes": {"push_enabled": "maybe"}}`,
    `{"token": "${newToken()}", "platform": "ios", "app_id": "${'0'.repeat(8)}-0000-7000-8000-000000000000"}`,
    `{"token": "${newToken()}", "platform": "ios", "person_attributes": {}}`,
    '{"id": ""}',
    '[]',
    `{"token": "${good}", "platform": "ios"}`,
    `{"id": "long", "attributes": {"text": "${'y'.repeat(1_100_000)}"}}`,
    '{"id": "last"}',
  ])
  const ran = await pushkeep(['import', file])
  expect(ran.code).toBe(1)
  expect(ran.out).toContain('line 2: token must be the hexadecimal APNs device token')
  expect(ran.out).toContain('see ')
  const report = await reportOf(file)
  expect(report.map(({ verdict }) => verdict)).toEqual([
    ...Array.from({ length: 11 }, () => 'invalid'),
    'created',
    'invalid',
    'identified',
  ])
  const paths = report.map(({ errors }) => (errors as { path: string }[] | undefined)?.[0]?.path)
  expect(paths).toEqual([
    ...['line', 'token', 'platform', 'last_used', 'color', 'attributes.__proto__'],
    ...['attributes.push_enabled', 'app_id', 'person_attributes', 'id', 'line'],
    undefined,
    'line',
    undefined,
  ])
  expect(JSON.stringify(report) + ran.out + ran.err).not.toMatch(/xxxx|yyyy|symbian|maybe/)
  expect(await devices(good)).toMatchObject([{ token: good }])
})

test('a CSV file names its columns; quotes, commas and lines in a cell are the cell’s own', async () => {
  await newApp()
  const [one, two] = [newToken(), newToken()]
  const file = await fileOf('a.csv', [
    '\ufefftoken,platform,person_id,last_used,attributes.push_enabled,attributes.note,person_attributes.name',
    `${one},ios,ana,1763900000,false,"a, ""b""`,
    `c",Ana`,
    `${two},ios,,,,,`,
    `${newToken()},ios,x`,
    `${newToken()},nokia,x,,,,`,
  ])
  const ran = await pushkeep(['import', file])
  expect(ran.code).toBe(1)
  expect(await devices(one, two)).toEqual([
    expect.objectContaining({
      ...{ token: one, person: 'ana', push_permission: false, last_used: 1763900000 },
      attributes: { note: 'a, "b"\nc' },
    }),
    expect.objectContaining({ token: two, person: null, attributes: {} }),
  ])
  expect(await reportOf(file)).toMatchObject([
    { verdict: 'created' },
    { verdict: 'created' },
    { verdict: 'invalid', errors: [{ path: 'line', message: 'has another number of columns' }] },
    { verdict: 'invalid', errors: [{ path: 'platform' }] },
  ])
  const { rows } = await db.database.query(`select attributes from people where id = 'ana'`)
  expect(rows).toEqual([{ attributes: { name: 'Ana' } }])
})

test('what is wrong with the command or the file is said in one line, before anything is imported', async () => {
  await newApp()
  const refused = async (...args: string[]) => {
    const ran = await pushkeep(['import', ...args])
    expect(ran.out).toBe('')
    expect(ran.err).toMatch(/^pushkeep: [^\n]+\n$/)
    return `${ran.code} ${ran.err.slice(10)}`
  }
  const csv = await fileOf('b.csv', ['token,platform,colour', `${newToken()},ios,red`])
  expect(await refused(csv)).toMatch(/^2 the column "colour" is not known/)
  const file = await fileOf('b.txt', ['{}'])
  expect(await refused(file)).toMatch(/^2 say --format/)
  expect(await refused(`${file}.not`)).toMatch(/^1 <file>: .* cannot be read \(ENOENT\)/)
  const good = await fileOf('b.ndjson', ['{"id": "ana"}'])
  expect(await refused(good, '--app', 'x')).toMatch(/^2 --app must be an id/)
  expect(await refused(good, '--map-app', 'x')).toMatch(/^2 --map-app must be from=to/)
  expect(await refused(good, '--as-of', 'soon')).toMatch(/^2 --as-of must be/)
  expect(await devices()).toEqual([])
})

test.each(['ndjson', 'csv'])(
  'a killed import of %s goes on where it stood: each line has one verdict, each token one device',
  async (format) => {
    await newApp()
    const total = 16_000
    const lines = Array.from({ length: total }, (_, n) =>
      format === 'csv'
        ? `${tokenOf(n)},ios,person ${n % 5000}${n % 7 === 0 ? `,"a\nb"` : ',c'}`
        : JSON.stringify({ token: tokenOf(n), platform: 'ios', person_id: `person ${n % 5000}` }),
    )
    const header = format === 'csv' ? ['token,platform,person_id,attributes.note'] : []
    const file = await fileOf(`c.${format}`, [...header, ...lines])
    const checkpoint = `${file}.checkpoint.json`
    const first = spawn(process.execPath, [cli, 'import', file, '--quiet'], {
      env: { ...process.env, ...env() },
      stdio: 'ignore',
    })
    onTestFinished(() => void first.kill('SIGKILL'))
    await expect.poll(() => existsSync(checkpoint), { timeout: 60_000, interval: 5 }).toBe(true)
    first.kill('SIGKILL')
    await new Promise((resolve) => first.once('close', resolve))
    const { line, tally } = JSON.parse(await readFile(checkpoint, 'utf8'))
    expect(line).toBeGreaterThan(0)
    expect(tally.created).toBeLessThan(total)

    const second = await pushkeepIn(['import', file], env())
    expect(second.code).toBe(0)
    expect(second.err).toContain(`Going on after line ${line.toLocaleString('en')}`)
    expect(second.err).toMatch(/ 100 % {2}[\d,]+ lines {2}[\d,]+\/s {2}0 invalid/)
    expect(existsSync(checkpoint)).toBe(false)
    const report = await reportOf(file)
    expect(report.length).toBe(total)
    expect(new Set(report.map((entry) => entry.line)).size).toBe(total)
    const { rows } = await db.database.query(
      'select count(*)::int as devices, count(distinct token)::int as tokens from devices',
    )
    expect(rows).toEqual([{ devices: total, tokens: total }])
    // A batch that was written and not noted was imported twice: as if it had been once.
    const { rows: events } = await db.database.query('select count(*)::int as n from device_events')
    expect(events).toEqual([{ n: total }])
  },
  120_000,
)

test('a checkpoint of other options is not taken up', async () => {
  const { id } = await newApp()
  const file = await fileOf('d.ndjson', ['{"id": "ana"}'])
  await writeFile(`${file}.checkpoint.json`, '{"of": "another", "line": 7}')
  const refused = await pushkeep(['import', file, '--app', id])
  expect(refused).toMatchObject({ code: 1, out: '' })
  expect(refused.err).toContain('--restart')
  const begun = await pushkeep(['import', file, '--app', id, '--restart'])
  expect(begun.code).toBe(0)
  expect(begun.out).toContain('1 identified')
})

test('what is registered here since the file was made stays', async () => {
  await newApp()
  const token = newToken()
  const line = (more: object) => JSON.stringify({ token, platform: 'ios', ...more })
  const newer = await fileOf('e.ndjson', [line({ person_id: 'new' })])
  expect((await pushkeep(['import', newer])).code).toBe(0)
  const older = await fileOf('f.ndjson', [line({ person_id: 'old', last_used: 1763900000 })])
  expect((await pushkeep(['import', older])).out).toContain('1 late')
  const asOf = await fileOf('g.ndjson', [line({ person_id: 'old' })])
  expect((await pushkeep(['import', asOf, '--as-of', '2025-01-01T00:00:00Z'])).out).toContain(
    '1 late',
  )
  expect(await devices()).toMatchObject([{ person: 'new' }])
})

test('importing an export makes the same installation: people, devices, attributes and standing', async () => {
  const app = await newApp()
  const { database } = db
  const tokens = Array.from({ length: 7 }, newToken)
  const file = await fileOf('h.ndjson', [
    '{"id": "ana", "attributes": {"nested": {"a": [1, null, {"b": "ü"}]}, "n": 1.5}, "suppressed": true}',
    '{"id": "nobody’s"}',
    ...tokens.map((token, n) =>
      JSON.stringify({
        ...{ token, platform: n % 2 ? 'android' : 'ios', last_used: 1763900000 + n },
        ...(n % 3 === 0 ? { person_id: 'ana' } : {}),
        ...(n === 4 ? { installation_id: 'i-1', environment: 'sandbox' } : {}),
        attributes: { n, push_enabled: n !== 5, device_os: 17 },
      }),
    ),
  ])
  expect((await pushkeep(['import', file])).code).toBe(0)
  await database.query(
    `update devices set last_status = 'bounced', status_at = now(), dead_at = now(),
            dead_reason = 'Unregistered' where token = $1`,
    [tokens[0]],
  )
  await database.query(
    `update devices set last_status = 'sent', status_at = '2026-11-01T10:00:00.123Z' where token = $1`,
    [tokens[1]],
  )
  await database.query(
    `update devices set last_status = 'suppressed', status_at = now(), failures = 2 where token = $1`,
    [tokens[2]],
  )
  await database.query(`update devices set token = null, deleted_at = now() where token = $1`, [
    tokens[3],
  ])
  const exported = join(folder.path, 'exported.ndjson')
  const ran = await pushkeep(['export', exported, '--json'])
  expect(JSON.parse(ran.out)).toEqual({ people: 2, devices: 6, file: exported })
  expect((await stat(exported)).mode & 0o777).toBe(0o600)

  await using other = await createTestDatabase()
  const otherApp = await newApp(other.database)
  const map = `${app.id}=${otherApp.id}`
  const imported = await pushkeep(
    ['import', exported, '--map-app', map],
    await other.urlAs('admin'),
  )
  expect(imported.out).toContain('6 created, 0 updated, 2 identified, 0 late, 0 invalid')
  const again = await runFile(cli, ['export'], env(other.url))
  expect(again.code).toBe(0)
  const sorted = (text: string) => text.split('\n').sort()
  expect(sorted(again.out.replaceAll(otherApp.id, app.id))).toEqual(
    sorted(await readFile(exported, 'utf8')),
  )
  expect(again.err).toBe('2 people, 6 devices\n')
})

test('the standard input is imported, too', async () => {
  await newApp()
  const child = spawn(process.execPath, [cli, 'import', '-', '--quiet', '--json'], {
    env: { ...process.env, ...env() },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stdin.end(`{"id": "ana"}\n{"token": "${newToken()}", "platform": "ios"}`)
  await new Promise((resolve) => child.once('close', resolve))
  expect(JSON.parse(out)).toMatchObject({ created: 1, identified: 1, lines: 2, report: null })
})
