import { createTestDatabase } from '@pushkeep/testkit'
import { expect, test } from 'vitest'
import {
  type Command,
  connect,
  createApp,
  createCommander,
  createPartitions,
  createWorkspace,
  type Database,
  findPersonIds,
  indexedSettings,
  inWorkspaces,
  readEvents,
} from '../src/index.ts'
import { changeOf, randomToken } from './registry.ts'

/** Rows of these tables that all statements so far have read. */
async function rowsRead(database: Database, tables: readonly string[]): Promise<number> {
  // What a session read is counted a moment after it.
  await database.query('select pg_stat_force_next_flush()')
  const { rows } = await database.query<{ read: number }>(
    `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read from pg_stat_user_tables
     where relname ~ $1`,
    [`^(${tables.join('|')})`],
  )
  return rows[0]?.read ?? 0
}

const many = 5000

async function fill(database: Database, workspaceNo: number, appNo: number): Promise<void> {
  await database.query(
    `insert into people (workspace_no, id, attributes)
     select $1, 'p' || n, jsonb_build_object('email', 'p' || n || '@example.com')
     from generate_series(1, ${many}) n on conflict do nothing`,
    [workspaceNo],
  )
  await database.query(
    `insert into devices (app_no, token_hash, token, platform, provider, last_used, registered_at,
                          ordered_at, person_no)
     select $1, gen_random_uuid(), person_no::text, 'android', 'fcm', 0, now(), now(), person_no
     from people where id ~ '^p[0-9]+$'`,
    [appNo],
  )
  await database.query(
    `insert into anonymous_ids (workspace_no, anonymous_id)
     select $1, 'phone ' || n from generate_series(1, ${many}) n on conflict do nothing`,
    [workspaceNo],
  )
  await database.query(
    `insert into person_events (workspace_no, person_no, anonymous_id, at, received_at, type, name,
                                properties)
     select $1, case when n % 2 = 0 then n end, 'phone ' || n, now(),
            now() - n % 3 * interval '20 days', 'event', 'seen', '{}'
     from generate_series(1, ${many}) n`,
    [workspaceNo],
  )
  await database.query(
    `insert into client_messages (workspace_no, message_hash, week)
     select $1, gen_random_uuid(), date_trunc('week', now())::date - n % 3 * 7
     from generate_series(1, ${many}) n`,
    [workspaceNo],
  )
}

const ofPeople = ['people', 'person_events', 'anonymous_ids', 'client_messages']

const ofAll = [...ofPeople, 'devices', 'device_events']

test.each([
  ['never analyzed', 'as the owner', false, ofPeople],
  ['analyzed', 'as the owner', true, ofAll],
  ['never analyzed', 'as the registry', false, ofPeople],
  ['analyzed', 'as the registry', true, ofAll],
])(
  'commands read the rows that they are about, and few more: tables %s, %s',
  async (_name, role, isAnalyzed, tables) => {
    await using direct = await createTestDatabase()
    const settings = indexedSettings
    const database = connect({ url: direct.url, name: 'test', connectionsMax: 1, settings })
    const { workspaceNo } = await createWorkspace(database, 'test')
    const { appNo } = await createApp(database, workspaceNo, 'test')
    for (const table of ['people', 'devices', 'anonymous_ids', 'person_events_default']) {
      await database.query(`alter table ${table} set (autovacuum_enabled = off)`)
    }
    await createPartitions(database, Date.now() - 35 * 86_400_000)
    await createPartitions(database, Date.now())
    const own = role === 'as the registry' ? direct.as('registry', 1) : database
    const run = createCommander(own)
    const round = async (n: number) => {
      const id = `p${n}`
      const event = {
        ...{ workspaceNo, type: 'event' as const, name: 'x', at: null, properties: {} },
        messageId: null,
      }
      const registration = {
        ...{
          workspaceNo,
          appNo,
          token: randomToken(),
          platform: 'ios' as const,
          environment: null,
        },
        ...{ personId: id, installationId: null, previousToken: null },
        ...{ change: changeOf({}), lastUsed: null, at: null },
      }
      const person = { workspaceNo, id }
      const commands: Command[] = [
        {
          kind: 'identify',
          call: {
            ...person,
            attributes: { a: n },
            anonymousId: `phone ${n}`,
            at: Date.now(),
            isUpdateOnly: false,
          },
        },
        {
          kind: 'identify',
          call: {
            ...{ ...person, attributes: { b: n }, anonymousId: null, at: null },
            isUpdateOnly: true,
          },
        },
        { kind: 'event', event: { ...event, personId: id, anonymousId: null } },
        { kind: 'event', event: { ...event, personId: null, anonymousId: `phone ${n + 500}` } },
        { kind: 'register-device', call: registration },
        { kind: 'delete-device', call: { ...registration, at: Date.now() } },
        { kind: 'merge-people', merge: { workspaceNo, primary: id, secondary: `p${n + 1000}` } },
        { kind: 'erase-person', person: { workspaceNo, id: `p${n + 2000}` } },
        { kind: 'delete-person', person: { workspaceNo, id: `p${n + 3000}` } },
      ]
      await run(
        commands.map((command, i) => ({
          command,
          message: { workspaceNo, messageId: `${n} ${i}` },
        })),
      )
      await readEvents(own, { workspaceNo, id, limit: 50, after: null })
      await findPersonIds(own, [
        { workspaceNo, by: 'id', id },
        { workspaceNo, by: 'email', email: `P${n}@example.com` },
        { workspaceNo, by: 'person-no', personNo: String(n) },
        { workspaceNo, by: 'address-alone', email: `p${n}@example.com`, unlessId: 'x' },
      ])
    }
    // Statements are planned while the tables are small, and their plans kept.
    const roundOf = (n: number) => inWorkspaces([workspaceNo], () => round(n))
    for (let n = 1; n < 8; n += 1) await roundOf(n)
    await fill(direct.database, workspaceNo, appNo)
    if (isAnalyzed) await direct.database.query('analyze')
    const before = await rowsRead(own, tables)
    const rounds = 12
    for (let n = 100; n < 100 + rounds; n += 1) await roundOf(n)
    expect((await rowsRead(own, tables)) - before).toBeLessThan(rounds * 150)
    await database.end()
  },
  120_000,
)
