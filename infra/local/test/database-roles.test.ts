import { connect, migrate } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalPostgres, startPostgres } from '../src/postgres.ts'
import { pushkeepIn } from './in-process.ts'
import { temporaryFolder } from './processes.ts'

// A server of its own: roles belong to the server, and here there are none yet.
let server: LocalPostgres
let folder: Awaited<ReturnType<typeof temporaryFolder>>

beforeAll(async () => {
  folder = await temporaryFolder()
  server = await startPostgres({ directory: `${folder.path}/postgres`, password: 'superuser' })
}, 120_000)

afterAll(async () => {
  await server.stop()
  await folder[Symbol.asyncDispose]()
})

async function asSuperuser(...texts: string[]): Promise<void> {
  const database = connect({ url: server.url('postgres'), name: 'test', connectionsMax: 1 })
  for (const text of texts) await database.query(text)
  await database.end()
}

const pushkeep = (args: string[], url: string, more: Record<string, string> = {}) =>
  pushkeepIn(args, { DATABASE_URL: url, PUSHKEEP_DIRECTORY: folder.path, ...more })

async function rolesFinding(url: string): Promise<{ level: string; said: string }> {
  const { out } = await pushkeep(['--json', 'doctor', '--no-providers'], url)
  const { findings } = JSON.parse(out)
  return findings.find((one: { check: string }) => one.check === 'roles')
}

test('an owner who may not create roles migrates and works; roles may come later', async () => {
  await asSuperuser(
    `create role owner login password 'owner'`,
    'create database modest owner owner',
  )
  const url = server.url('modest').replace('pushkeep:superuser@', 'owner:owner@')
  expect(await pushkeep(['migrate'], url)).toMatchObject({ code: 0 })
  expect(await pushkeep(['workspace', 'create', 'acme'], url)).toMatchObject({ code: 0 })
  expect(await rolesFinding(url)).toMatchObject({
    level: 'warning',
    said: 'the server has no pushkeep_admin, pushkeep_registry, pushkeep_sender, pushkeep_workers',
  })
  expect(await pushkeep(['database', 'roles'], url)).toMatchObject({
    code: 1,
    err: expect.stringContaining('42501'),
  })

  // What an administrator is given to run makes them; the owner's next migrate grants.
  const { out } = await pushkeep(['database', 'roles', '--sql'], url)
  expect(out).not.toMatch(/password '(?!SCRAM-SHA-256\$)/)
  await asSuperuser(out)
  expect(await pushkeep(['migrate'], url)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/up to date/),
  })
  const admin = /^-- ADMIN_DATABASE_URL=(.*)$/m.exec(out)?.[1] ?? ''
  expect((await pushkeep(['workspace', 'list'], admin)).out).toContain('acme')
  expect((await rolesFinding(admin)).level).toBe('ok')
})

test('one URL of a superuser works as before, and the roles that variables name are created', async () => {
  await asSuperuser('create database grown')
  const owner = server.url('grown')
  const database = connect({ url: owner, name: 'token-registry', connectionsMax: 1 })
  await migrate(database)
  expect(await rolesFinding(owner)).toMatchObject({
    level: 'warning',
    said: 'token-registry connects as pushkeep, which owns the tables',
  })
  await database.end()
  const admin = owner.replace('pushkeep:superuser@', 'acme_admin:secret@')
  expect(await pushkeep(['migrate'], owner, { ADMIN_DATABASE_URL: admin })).toMatchObject({
    code: 0,
  })
  expect(await pushkeep(['workspace', 'create', 'acme'], admin)).toMatchObject({ code: 0 })
  const bad = await pushkeep(['migrate'], owner, { ADMIN_DATABASE_URL: 'postgres://host/db' })
  expect(bad).toMatchObject({ code: 1, err: expect.stringContaining('ADMIN_DATABASE_URL') })
})
