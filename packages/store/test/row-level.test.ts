import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  coalesce,
  createApp,
  createRegistrar,
  createWorkspace,
  type Database,
  type DatabaseProgram,
  groupRole,
  inTransaction,
  inWorkspaces,
  migrate,
  tablesWithoutPolicy,
  tenantPrograms,
  tenantTables,
  workspacesNow,
} from '../src/index.ts'
import { changeOf, randomToken } from './registry.ts'

let db: TestDatabase
/** Two workspaces with a row each in every table. */
let mine: { workspaceNo: number; appNo: number }
let theirs: { workspaceNo: number; appNo: number }
let roles: Record<'registry' | 'sender', Database>

beforeAll(async () => {
  db = await createTestDatabase()
  mine = await addTenant('mine')
  theirs = await addTenant('theirs')
  roles = { registry: db.as('registry', 1), sender: db.as('sender', 1) }
})

afterAll(() => db[Symbol.asyncDispose]())

/** A workspace with one row in each table that has a policy. */
async function addTenant(name: string) {
  const { workspaceNo } = await createWorkspace(db.database, name)
  const { appNo } = await createApp(db.database, workspaceNo, name)
  await db.database.query(
    `with p as (
       insert into people (workspace_no, id) values (${workspaceNo}, 'p') returning person_no
     ), d as (
       insert into devices (app_no, token_hash, token, platform, provider, last_used, registered_at,
                            ordered_at, person_no)
       select ${appNo}, gen_random_uuid(), 't', 'ios', 'apns', 0, now(), now(), person_no from p
       returning device_no, person_no
     ), m as (
       insert into messages (id, workspace_no, app_no, audience, content, priority, collapse_id,
                             on_unknown, ttl_seconds, lane, expires_at)
       values (gen_random_uuid(), ${workspaceNo}, ${appNo}, '{}', '{}', 'high', 'c', 'retry', 60,
               'bulk', now())
       returning message_no, id
     ), c as (insert into message_counts (message_no) select message_no from m
     ), k as (
       insert into idempotency_keys (workspace_no, key, body_hash, message_id)
       select ${workspaceNo}, 'k', '', id from m
     ), e as (
       insert into device_events (device_no, kind) select device_no, 'registered' from d
     ), l as (
       insert into deliveries (message_no, device_no, person_no, at, status, attempts)
       select message_no, device_no, person_no, now(), 1, 1 from m, d
     ), r as (
       insert into receipts (message_no, device_no, events, news, delivered_at)
       select message_no, device_no, 1, 1, now() from m, d
     ), rc as (insert into receipt_counts (message_no) select message_no from m
     ), er as (
       insert into early_receipts (message_no, device_no, events, delivered_at)
       select message_no, device_no, 1, now() from m, d
     ), ch as (
       insert into chunks (message_no, app_no, provider, lane, device_nos, person_nos, size, rescue_at)
       select message_no, ${appNo}, 'apns', 'bulk', '{}', '{}', 0, now() from m
     ), mp as (
       insert into message_progress (message_no, at, sent, bounced, suppressed, failed, expired)
       select message_no, now(), 0, 0, 0, 0, 0 from m
     ), mr as (
       insert into message_reasons (message_no, status, reason, deliveries)
       select message_no, 1, 'x', 1 from m
     ), u as (
       insert into unbalanced_messages (message_no, counts, deliveries, recipients)
       select message_no, '{}', '{}', 0 from m
     ), pe as (
       insert into person_events (person_no, at, workspace_no, type, name, properties)
       select person_no, now(), ${workspaceNo}, 'event', 'x', '{}' from p
     ), a as (insert into anonymous_ids (workspace_no, anonymous_id) values (${workspaceNo}, 'a')
     ), cm as (
       insert into client_messages (workspace_no, message_hash, week)
       values (${workspaceNo}, gen_random_uuid(), current_date)
     ), ap as (
       insert into app_providers (app_no, provider, settings, secret) values (${appNo}, 'apns', '{}', '')
     ), ik as (
       insert into identity_keys (app_no, kid, algorithm, secret) values (${appNo}, 'k', 'HS256', '')
     ), ak as (
       insert into api_keys (key_hash, id, workspace_no, kind, name)
       values (sha256('${name}'), gen_random_uuid(), ${workspaceNo}, 'public', 'x')
     ), bm as (
       insert into bounce_minutes (app_no, provider, minute, judged, dead)
       values (${appNo}, 'apns', now(), 0, 0)
     ), pm as (
       insert into provider_minutes (app_no, provider, minute, latency)
       values (${appNo}, 'apns', now(), '{}')
     ), am as (
       insert into accepted_minutes (workspace_no, app_no, minute, messages, recipients)
       values (${workspaceNo}, 0, now(), 0, 0)
     ), dc as (
       insert into device_counts (app_no, platform, environment, reachable, suppressed, dead,
                                  push_disabled, failing)
       values (${appNo}, 'ios', '', 0, 0, 0, 0, 0)
     ), fd as (
       insert into former_devices (person_no, app_no, device_no) select person_no, ${appNo}, device_no from d
     ), es as (
       insert into erasures (workspace_no, person_hash, token_hashes, app_nos, device_nos)
       values (${workspaceNo}, gen_random_uuid(), '{}', '{}', '{}')
     ), bp as (
       insert into bounced_people (app_no, provider, person_key) values (${appNo}, 'apns', 1)
     ), lt as (
       insert into lane_trials (app_no, provider, id) values (${appNo}, 'apns', gen_random_uuid())
     ), ct as (
       insert into credential_tasks (id, app_no, provider, kind, actor)
       values (gen_random_uuid(), ${appNo}, 'apns', 'check', '{}')
     )
     insert into audit_log (workspace_no, action, target_kind, target, detail)
     values (${workspaceNo}, 'x', 'workspace', 'x', '{}')`,
  )
  return { workspaceNo, appNo }
}

const tables = Object.keys(tenantTables)

test('each table has a policy, or a reason to have none', async () => {
  const { rows } = await db.database.query<{ name: string; isOn: boolean; policies: number }>(
    `select c.relname as name, c.relrowsecurity as "isOn",
            (select count(*)::int from pg_policy where polrelid = c.oid) as policies
     from pg_class c
     where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
       and not relispartition order by 1`,
  )
  const named = [...tables, ...Object.keys(tablesWithoutPolicy)].sort()
  expect(rows.map(({ name }) => name)).toEqual(named)
  const isOn = rows.filter((row) => row.isOn && row.policies > 0).map(({ name }) => name)
  expect(isOn).toEqual([...tables].sort())
})

test('what is called closed is not granted to programs that work for callers', async () => {
  const closed = Object.entries(tablesWithoutPolicy).filter(([, reason]) => reason === 'closed')
  for (const [table] of closed) {
    for (const program of tenantPrograms) expect(await may(program, table, 'select')).toBe(false)
  }
})

async function may(program: DatabaseProgram, table: string, privilege: string): Promise<boolean> {
  const isWhole = privilege === 'delete'
  const ask = isWhole ? 'has_table_privilege($1, $2, $3)' : 'has_any_column_privilege($1, $2, $3)'
  const { rows } = await db.database.query<{ may: boolean }>(`select ${ask} as may`, [
    groupRole(program),
    table,
    privilege,
  ])
  return rows[0]?.may ?? false
}

const both = tenantPrograms.flatMap((program) => tables.map((table) => [program, table] as const))

test.each(both)(
  '%s sees of %s what its statement is for, and nothing without',
  async (program, table) => {
    if (!(await may(program, table, 'select'))) return
    const own = program === 'registry' ? roles.registry : roles.sender
    const count = async () =>
      (await own.query<{ n: number }>(`select count(*)::int as n from ${table}`)).rows[0]?.n
    const ofBoth = [mine.workspaceNo, theirs.workspaceNo]
    // Keys are looked up by their hash before anybody knows whose they are.
    const isOpen = table === 'api_keys'
    expect(await inWorkspaces(ofBoth, count)).toBe(2)
    expect(await inWorkspaces([mine.workspaceNo], count)).toBe(isOpen ? 2 : 1)
    expect(await inWorkspaces([theirs.workspaceNo + 1000], count)).toBe(isOpen ? 2 : 0)
    expect(await inWorkspaces([], count)).toBe(isOpen ? 2 : 0)
    expect(await count()).toBe(isOpen ? 2 : 0)
  },
)

test.each(both)('%s changes nothing of another workspace in %s', async (program, table) => {
  const own = program === 'registry' ? roles.registry : roles.sender
  const ofMine = (text: string) =>
    inWorkspaces([mine.workspaceNo], async () => {
      const { rowCount } = await own.query(text)
      return rowCount
    })
  if (await may(program, table, 'update')) {
    const { rows } = await db.database.query<{ column: string }>(
      `select a.attname as "column" from pg_attribute a
       where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped
         and a.attidentity = '' and a.attgenerated = ''
         and has_column_privilege($2, a.attrelid, a.attnum, 'update') limit 1`,
      [table, groupRole(program)],
    )
    const column = rows[0]?.column
    // Its own row, and no more.
    await inTransaction(db.database, async (sql) => {
      await sql.query(`set local role ${groupRole(program)}`)
      await sql.query(`select set_config('pushkeep.workspaces', '${mine.workspaceNo}', true)`)
      const { rowCount } = await sql.query(`update ${table} set ${column} = ${column}`)
      expect(rowCount).toBe(1)
    })
  }
  if (await may(program, table, 'delete')) {
    const tie = tenantTables[table]
    const [column, value] =
      tie === 'workspace' ? ['workspace_no', theirs.workspaceNo] : ['app_no', theirs.appNo]
    if (tie === 'workspace' || tie === 'app') {
      expect(await ofMine(`delete from ${table} where ${column} = ${value}`)).toBe(0)
    } else {
      expect(
        await ofMine(`delete from ${table} where message_no in
          (select message_no from messages where workspace_no = ${theirs.workspaceNo})`),
      ).toBe(0)
    }
  }
})

const forged: [DatabaseProgram, string][] = [
  ['registry', `insert into people (workspace_no, id) values ($W, 'forged')`],
  ['registry', `update people set workspace_no = $W where id = 'p'`],
  [
    'registry',
    `insert into devices (app_no, token_hash, token, platform, provider, last_used, registered_at, ordered_at)
     values ($A, gen_random_uuid(), 'x', 'ios', 'apns', 0, now(), now())`,
  ],
  ['registry', `update devices set app_no = $A`],
  ['registry', `insert into anonymous_ids (workspace_no, anonymous_id) values ($W, 'forged')`],
  [
    'registry',
    `insert into client_messages (workspace_no, message_hash, week) values ($W, gen_random_uuid(), current_date)`,
  ],
  ['sender', `insert into apps (id, workspace_no, name) values (gen_random_uuid(), $W, 'forged')`],
  [
    'sender',
    `insert into api_keys (key_hash, id, workspace_no, kind, name, role)
     values ('x', gen_random_uuid(), $W, 'secret', 'x', 'admin')`,
  ],
  [
    'sender',
    `insert into audit_log (workspace_no, action, target_kind, target, detail)
     values ($W, 'x', 'workspace', 'x', '{}')`,
  ],
  [
    'sender',
    `insert into idempotency_keys (workspace_no, key, body_hash, message_id) values ($W, 'f', '', gen_random_uuid())`,
  ],
  [
    'sender',
    `insert into credential_tasks (id, app_no, provider, kind, actor) values (gen_random_uuid(), $A, 'apns', 'replace', '{}')`,
  ],
  [
    'sender',
    `insert into chunks (message_no, app_no, provider, lane, device_nos, person_nos, size, rescue_at)
     values (1, $A, 'apns', 'bulk', '{}', '{}', 0, now())`,
  ],
]

test.each(forged)('%s cannot write for another workspace: %s', async (program, text) => {
  const own = program === 'registry' ? roles.registry : roles.sender
  const filled = text.replace('$W', String(theirs.workspaceNo)).replace('$A', String(theirs.appNo))
  await expect(inWorkspaces([mine.workspaceNo], () => own.query(filled))).rejects.toThrow(
    /row-level security/,
  )
  // Without a workspace an update finds no row at all.
  if (text.startsWith('update')) expect((await own.query(filled)).rowCount).toBe(0)
  else await expect(own.query(filled)).rejects.toThrow(/row-level security/)
})

test('workers and the command see all rows', async () => {
  for (const program of ['workers', 'admin'] as const) {
    const { rows } = await db.as(program, 1).query('select count(*)::int as n from messages')
    expect(rows).toEqual([{ n: 2 }])
  }
})

test('nothing of a setting is left on the session, whether the query succeeds or fails', async () => {
  const own = roles.registry
  const seen = async () =>
    (await own.query<{ n: number }>('select count(*)::int as n from people')).rows[0]?.n
  const inMine = <T>(work: () => Promise<T>) => inWorkspaces([mine.workspaceNo], work)
  expect(await inMine(seen)).toBe(1)
  expect(await seen()).toBe(0)
  await expect(inMine(() => own.query('select 1 / 0'))).rejects.toMatchObject({ code: '22012' })
  expect(await seen()).toBe(0)
  await expect(inMine(() => own.query('select nothing'))).rejects.toMatchObject({ code: '42703' })
  await expect(inMine(() => own.query('not sql'))).rejects.toMatchObject({ code: '42601' })
  expect(await seen()).toBe(0)
  await inMine(() => inTransaction(own, async (sql) => void (await sql.query('select 1'))))
  expect(await seen()).toBe(0)
  await expect(
    inMine(() => inTransaction(own, (sql) => sql.query('select 1 / 0'))),
  ).rejects.toMatchObject({ code: '22012' })
  expect(await seen()).toBe(0)
})

test('named statements, values and many at a time answer each its own', async () => {
  const own = db.as('registry', 3)
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, n) => {
      const workspaceNo = n % 2 === 0 ? mine.workspaceNo : theirs.workspaceNo
      return inWorkspaces([workspaceNo], async () => {
        const { rows, rowCount } = await own.query({
          name: `named-${n % 5}`,
          text: `select $1::int as n, ${n % 5} as which, (select min(workspace_no) from people) as no`,
          values: [n],
        })
        return { rows, rowCount }
      })
    }),
  )
  for (const [n, answer] of answers.entries()) {
    const no = n % 2 === 0 ? mine.workspaceNo : theirs.workspaceNo
    expect(answer).toEqual({ rows: [{ n, which: n % 5, no }], rowCount: 1 })
  }
  // A statement that failed to parse is tried anew, and not taken for prepared.
  const bad = { name: 'bad', text: 'select nothing', values: [] }
  for (let count = 0; count < 2; count += 1) {
    await expect(inWorkspaces([1], () => own.query(bad))).rejects.toMatchObject({ code: '42703' })
  }
})

test('calls of several workspaces share a statement, for exactly these', async () => {
  const seen: (readonly number[] | null)[] = []
  const run = coalesce<number, null>({
    run: async (items) => {
      seen.push(workspacesNow())
      return items.map(() => null)
    },
    sizeMax: 100,
    runsMax: 1,
    waitingMax: 100,
  })
  await Promise.all([
    inWorkspaces([1], () => run(1)),
    inWorkspaces([2], () => run(2)),
    inWorkspaces([1], () => run(3)),
    run(4),
  ])
  await run(5)
  await inWorkspaces([3], () => run(6))
  expect(seen.map((one) => (one ? [...one].sort() : one))).toEqual([[1, 2], null, [3]])
})

test('registrations of two workspaces that arrive together are stored, each in its own', async () => {
  const register = createRegistrar(roles.registry)
  const calls = [mine, theirs, mine, theirs].map((tenant, n) =>
    inWorkspaces([tenant.workspaceNo], () =>
      register({
        ...tenant,
        token: randomToken(),
        platform: 'ios',
        environment: null,
        personId: `together-${n}`,
        installationId: null,
        previousToken: null,
        change: changeOf({}),
        lastUsed: null,
        at: null,
      }),
    ),
  )
  expect((await Promise.all(calls)).map(({ applied }) => applied)).toEqual([true, true, true, true])
  const { rows } = await db.database.query(
    `select workspace_no as no, count(*)::int as n from people where id ~ '^together' group by 1 order by 1`,
  )
  expect(rows).toEqual([
    { no: mine.workspaceNo, n: 2 },
    { no: theirs.workspaceNo, n: 2 },
  ])
})

test('policies are made anew where they differ, while others read and write, and then no more', async () => {
  await using fresh = await createTestDatabase()
  const { workspaceNo } = await createWorkspace(fresh.database, 'test')
  await fresh.database.query('alter table people disable row level security')
  await fresh.database.query('create policy pushkeep_older on devices for select using (true)')
  await fresh.database.query('create policy of_the_operator on people for select using (false)')
  let isDone = false
  const busy = (async () => {
    for (let n = 0; !isDone; n += 1) {
      await fresh.database.query(`insert into people (workspace_no, id) values ($1, $2)`, [
        workspaceNo,
        `p${n}`,
      ])
    }
  })()
  await Promise.all([migrate(fresh.database), migrate(fresh.database)])
  isDone = true
  await busy
  const { rows } = await fresh.database.query(
    `select c.relname as name, c.relrowsecurity as "isOn", array_agg(polname::text) as policies
     from pg_class c join pg_policy p on p.polrelid = c.oid
     where c.relname in ('people', 'devices') group by 1, 2 order by 1`,
  )
  expect(rows).toEqual([
    { name: 'devices', isOn: true, policies: expect.not.arrayContaining(['pushkeep_older']) },
    { name: 'people', isOn: true, policies: expect.arrayContaining(['of_the_operator']) },
  ])
  expect(rows.map(({ policies }) => policies.length)).toEqual([2, 3])
})
