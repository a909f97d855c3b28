import { createTestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  connect,
  createLoginRoles,
  type Database,
  type DatabaseProgram,
  databasePrograms,
  groupRole,
  loginRoleName,
  loginUrl,
  migrate,
} from '../src/index.ts'

let test_: Awaited<ReturnType<typeof createTestDatabase>>
let database: Database
beforeAll(async () => {
  test_ = await createTestDatabase()
  database = test_.database
})
afterAll(() => test_[Symbol.asyncDispose]())

const denied = { code: '42501' }

test('each table is open to some program: one that a migration adds is named in grants.sql', async () => {
  const { rows } = await database.query<{ name: string }>(
    `select relname as name from pg_class c
     where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition
       and not exists (
         select from unnest($1::text[]) as program
         where has_table_privilege(program, c.oid, 'select')
            or has_any_column_privilege(program, c.oid, 'select'))`,
    [databasePrograms.map(groupRole)],
  )
  expect(rows.map(({ name }) => name)).toEqual([])
})

test.each<[string, string, DatabaseProgram[]]>([
  ['app_providers', 'secret', ['workers', 'admin']],
  ['identity_keys', 'secret', ['registry', 'admin']],
  ['messages', 'content', ['sender', 'workers', 'admin']],
  ['messages', 'audience', ['sender', 'workers', 'admin']],
  ['api_keys', 'key_hash', ['registry', 'sender', 'admin']],
  ['console_sessions', 'session_hash', ['sender', 'workers', 'admin']],
])('%s.%s is read by %j alone', async (table, column, programs) => {
  const may = []
  for (const program of databasePrograms) {
    const { rows } = await database.query<{ may: boolean }>(
      'select has_column_privilege($1, $2, $3, $4) as may',
      [groupRole(program), table, column, 'select'],
    )
    if (rows[0]?.may) may.push(program)
  }
  expect(may).toEqual(databasePrograms.filter((program) => programs.includes(program)))
})

test.each(databasePrograms)('%s neither changes the audit log nor the schema', async (program) => {
  const own = test_.as(program, 1)
  for (const text of [
    `update audit_log set action = 'x'`,
    'delete from audit_log',
    'truncate audit_log',
    'create table forged (a int)',
    'drop table devices',
    'alter table audit_log disable trigger all',
    `insert into migrations (name) values ('x')`,
    `update access_state set digest = ''`,
  ]) {
    await expect(own.query(text), text).rejects.toThrow(/permission denied|must be owner/)
  }
})

test.each<[DatabaseProgram, string]>([
  ['registry', 'select secret from app_providers'],
  ['registry', 'select * from messages'],
  ['registry', 'select session_hash from console_sessions'],
  ['registry', 'select from audit_log'],
  ['registry', `update api_keys set revoked_at = null`],
  ['registry', 'delete from devices'],
  ['registry', 'update deliveries set status = 1'],
  ['registry', 'insert into outbox (queue, ref) values ($$plan$$, 1)'],
  ['registry', `select add_partition('deliveries', '20200101', now(), now())`],
  ['sender', 'select secret from app_providers'],
  ['sender', 'update app_providers set settings = $${}$$'],
  ['sender', 'select secret from identity_keys'],
  ['sender', 'update deliveries set status = 1'],
  ['sender', 'delete from devices'],
  ['sender', 'delete from messages'],
  ['sender', `select drop_partition('deliveries', '20200101')`],
  ['workers', 'select secret from identity_keys'],
  ['workers', 'select key_hash from api_keys'],
  ['workers', 'insert into apps (id, workspace_no, name) values (gen_random_uuid(), 1, $$x$$)'],
])('%s may not: %s', async (program, text) => {
  await expect(test_.as(program, 1).query(text)).rejects.toMatchObject(denied)
})

test('the functions of an owner take no other name', async () => {
  const own = test_.as('workers', 1)
  for (const text of [
    `select add_partition('audit_log', '20200101', now(), now())`,
    `select add_partition('deliveries', '1; drop', now(), now())`,
    `select analyze_table('pg_authid')`,
    `select analyze_table('devices; drop table devices')`,
  ]) {
    await expect(own.query(text), text).rejects.toMatchObject({ code: 'P0001' })
  }
  for (const text of [
    `select drop_partition('devices', '20200101') as done`,
    `select drop_partition('deliveries', 'default') as done`,
  ]) {
    expect((await own.query(text)).rows).toEqual([{ done: false }])
  }
})

test('a program that logs in with a role of its own migrates nothing, and says what is missing', async () => {
  await using fresh = await createTestDatabase()
  const own = connect({ url: await fresh.urlAs('registry'), name: 'test', connectionsMax: 1 })
  try {
    expect(await migrate(own)).toEqual([])
    await fresh.database.query(`delete from migrations where name like '0095%'`)
    await expect(migrate(own)).rejects.toThrow(/lacks 0095_.*as its owner/)
  } finally {
    await own.end()
  }
})

test('a login role is created once, gets a new password, and an owner is left alone', async () => {
  const name = (await database.query<{ name: string }>('select current_database() as name')).rows[0]
  const role = {
    program: 'sender' as const,
    name: loginRoleName(name?.name ?? '', 'sender'),
    password: 'first',
  }
  for (const password of ['first', 'sécond:/@?#']) {
    await createLoginRoles(database, [{ ...role, password }])
    const own = connect({ url: loginUrl(test_.url, { ...role, password }), name: 'test' })
    expect((await own.query('select current_user as name')).rows).toEqual([{ name: role.name }])
    await expect(own.query('select secret from app_providers')).rejects.toMatchObject(denied)
    await own.end()
  }
  const old = connect({ url: loginUrl(test_.url, { ...role, password: 'first' }), name: 'test' })
  await expect(old.query('select 1')).rejects.toMatchObject({ code: '28P01' })
  await old.end()
  const owner = (await database.query<{ name: string }>('select current_user as name')).rows[0]
    ?.name
  await expect(
    createLoginRoles(database, [{ ...role, name: owner ?? '', password: 'taken over' }]),
  ).rejects.toThrow(/may do more/)
})

test('grants are made anew when they were changed by hand or the file has changed', async () => {
  await using fresh = await createTestDatabase()
  await fresh.database.query('grant delete on devices to pushkeep_registry')
  await fresh.database.query('revoke select on people from pushkeep_registry')
  await fresh.database.query(`update access_state set digest = 'older'`)
  expect(await migrate(fresh.database)).toEqual([])
  const own = fresh.as('registry', 1)
  await expect(own.query('delete from devices')).rejects.toMatchObject(denied)
  expect((await own.query('select id from people')).rows).toEqual([])
})
