import { randomUUID } from 'node:crypto'
import { createTestDatabase } from '@pushkeep/testkit'
import { expect, test } from 'vitest'
import {
  connect,
  createIdentifier,
  createReceiptTaker,
  createRegistrar,
  type Database,
  deliveriesOfMessage,
  deliveriesOfPerson,
  devicesOfPerson,
  findByFingerprint,
  findDevice,
  findKeyedMessage,
  findMessage,
  findPeopleByEmail,
  findPeopleByPrefix,
  findPeopleByToken,
  findPerson,
  indexedSettings,
  inWorkspaces,
  lastDeliveries,
  listMessages,
  messagesOfPerson,
  namesOfPerson,
  peopleWithEmail,
  readAudit,
  readEvents,
  readTimeline,
  standingDevices,
  tokenHash,
} from '../src/index.ts'
import { accept, createScene, type Scene } from './fixtures.ts'
import { changeOf, randomToken } from './registry.ts'

const many = 5000

/** Rows that all statements of a session have read, of all tables. */
async function rowsRead(database: Database): Promise<number> {
  await database.query('select pg_stat_force_next_flush()')
  const { rows } = await database.query<{ read: number }>(
    `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read from pg_stat_user_tables`,
  )
  return rows[0]?.read ?? 0
}

/** Many people, each with a device, an event, deliveries of one message, and audit entries. */
async function fill({ database, workspaceNo, appNo }: Scene): Promise<{ messageNo: string }> {
  await database.query(
    `insert into people (workspace_no, id, attributes)
     select $1, 'p' || n, jsonb_build_object('email', 'p' || n || '@example.com')
     from generate_series(1, ${many}) n`,
    [workspaceNo],
  )
  await database.query(
    `insert into devices (app_no, token_hash, token, platform, provider, last_used, registered_at,
                          ordered_at, person_no)
     select $1, left(encode(sha256(id::bytea), 'hex'), 32)::uuid, id, 'android', 'fcm', 0, now(), now(),
            person_no
     from people where id ~ '^p[0-9]{1,4}$'`,
    [appNo],
  )
  await database.query(
    `insert into device_events (device_no, kind, person_no, detail)
     select device_no, 'moved', person_no, jsonb_build_object('from', person_no) from devices`,
  )
  await database.query(
    `insert into messages (id, workspace_no, audience, content, priority, collapse_id, on_unknown,
                           ttl_seconds, lane, expires_at, planned_at)
     select gen_random_uuid(), $1, '{"all": true}', '{}', 'high', 'c', 'retry', 60, 'bulk', now(), now()
     from generate_series(1, ${many})`,
    [workspaceNo],
  )
  await database.query(
    `insert into message_counts (message_no) select message_no from messages on conflict do nothing`,
  )
  await database.query(
    `insert into deliveries (message_no, device_no, person_no, at, status, attempts)
     select (select max(message_no) from messages), device_no, person_no, now(), 1, 1 from devices`,
  )
  await database.query(
    `insert into person_events (workspace_no, person_no, at, type, name, properties)
     select $1, person_no, now(), 'event', 'x', '{}' from people`,
    [workspaceNo],
  )
  await database.query(
    `insert into audit_log (workspace_no, action, target_kind, target, detail)
     select $1, 'x', 'person', person_no::text, '{}' from people order by person_no limit 300`,
    [workspaceNo],
  )
  const { rows } = await database.query<{ messageNo: string }>(
    'select max(message_no)::text as "messageNo" from messages',
  )
  return { messageNo: rows[0]?.messageNo ?? '' }
}

// A statement may keep its plan once it was run five times in a session.
const rounds = 8

/** What each call reads of filled tables, by the plan that it made of empty ones. */
async function readBy(as: 'owner' | 'role', isAnalyzed: boolean): Promise<Map<string, number>> {
  await using db = await createTestDatabase()
  const scene = await createScene(db.database)
  const { workspaceNo, appNo } = scene
  if (!isAnalyzed) {
    for (const table of ['people', 'devices', 'messages', 'message_counts', 'audit_log', 'apps']) {
      await db.database.query(`alter table ${table} set (autovacuum_enabled = off)`)
    }
  }
  const owner = connect({
    ...{ url: db.url, name: 'test', connectionsMax: 1, settings: indexedSettings },
  })
  const registry = as === 'role' ? db.as('registry', 1) : owner
  const sender = as === 'role' ? db.as('sender', 1) : owner
  const register = createRegistrar(registry)
  const identify = createIdentifier(registry)
  const take = createReceiptTaker(registry)
  const young = { messageNo: '0' }

  const ofRegistry: Record<string, (n: number) => Promise<unknown>> = {
    register: (n) => registerAs(`new${n}`, randomToken()),
    refresh: (n) => registerAs(`p${n}`, `p${n}`),
    move: (n) => registerAs(`p${n + 1}`, `p${n + 100}`),
    identify: (n) => identify({ workspaceNo, id: `p${n}`, attributes: { n } }),
    receipt: (n) =>
      take({
        ...{
          workspaceNo,
          appNo,
          messageId: randomUUID(),
          token: `p${n}`,
          event: 'opened',
          at: null,
        },
      }),
    person: (n) => findPerson(registry, { workspaceNo, id: `p${n}` }),
    device: (n) => findDevice(registry, { appNo, token: `p${n}` }),
    devices: (n) => devicesOfPerson(registry, { workspaceNo, id: `p${n}`, appNo: null }),
    events: (n) => readEvents(registry, { workspaceNo, id: `p${n}`, limit: 20, after: null }),
    timeline: (n) => readTimeline(registry, { appNo, token: `p${n}`, limit: 20, after: null }),
  }

  async function registerAs(personId: string, token: string) {
    await register({
      ...{ workspaceNo, appNo, token, platform: 'android', environment: null, personId },
      ...{
        installationId: null,
        previousToken: null,
        change: changeOf({}),
        lastUsed: null,
        at: null,
      },
    })
  }

  const asSender = { ...scene, database: sender }
  const ofSender: Record<string, (n: number) => Promise<unknown>> = {
    'to a person': (n) => accept(asSender, { to: { person_id: `p${n}` } }),
    'to people': (n) => accept(asSender, { to: { person_ids: [`p${n}`, 'nobody'] } }),
    'to a token': (n) => accept(asSender, { to: { token: `p${n}` } }),
    'to tokens': (n) => accept(asSender, { to: { tokens: [`p${n}`, 'ab'.repeat(32)] } }),
    message: () => findMessage(sender, { workspaceNo, appNo: null, id: randomUUID() }),
    'keyed message': (n) =>
      findKeyedMessage(sender, { workspaceNo, appNo: null, prefix: `k${n}`, seconds: 60 }),
    list: (n) =>
      listMessages(sender, {
        ...{ workspaceNo, appNo: null, only: null, limit: 5 },
        before: n % 2 === 0 ? null : '1',
      }),
    'deliveries of a message': () =>
      deliveriesOfMessage(sender, {
        ...{ appNos: [appNo], messageNo: young.messageNo, status: null, after: null, limit: 5 },
      }),
    'deliveries of a person': (n) =>
      deliveriesOfPerson(sender, {
        ...{
          workspaceNo,
          appNos: [appNo],
          personId: `p${n}`,
          status: null,
          appNo: null,
          after: null,
        },
        limit: 5,
      }),
    prefix: (n) => findPeopleByPrefix(sender, { workspaceNo, prefix: `p${n}00`, limit: 5 }),
    email: (n) => findPeopleByEmail(sender, { workspaceNo, prefix: `p${n}@example.com`, limit: 5 }),
    'with email': (n) => peopleWithEmail(sender, { workspaceNo, email: `p${n}@example.com` }),
    'by token': (n) => findPeopleByToken(sender, { appNos: [appNo], token: `p${n}` }),
    fingerprint: (n) =>
      findByFingerprint(sender, { appNos: [appNo], fingerprint: tokenHash(`p${n}`) }),
    standing: (n) => standingDevices(sender, { personNo: String(n), appNos: [appNo] }),
    'last deliveries': (n) =>
      lastDeliveries(sender, { personNo: String(n), appNos: [appNo], limit: 5 }),
    'messages of a person': (n) =>
      messagesOfPerson(sender, {
        ...{ personNo: String(n), appNos: [appNo], appNo: null, before: null, fromMs: null },
        ...{ toMs: null, limit: 5 },
      }),
    names: (n) => namesOfPerson(sender, { workspaceNo, id: `p${n}` }),
    audit: (n) => readAudit(sender, { workspaceNo, appNo: null, before: 10 + n, limit: 5 }),
  }

  const work: [Database, Record<string, (n: number) => Promise<unknown>>][] = [
    [registry, ofRegistry],
    [sender, ofSender],
  ]
  const all = async (from: number, note: (name: string, read: number) => void) => {
    for (const [database, calls] of work) {
      for (const [name, call] of Object.entries(calls)) {
        const before = await rowsRead(database)
        for (let n = from; n < from + rounds; n += 1) {
          await inWorkspaces([workspaceNo], () => call(n))
        }
        note(name, (await rowsRead(database)) - before)
      }
    }
  }
  // Statements are planned while the tables are small, and their plans kept.
  await all(1_000_000, () => {})
  young.messageNo = (await fill(scene)).messageNo
  if (isAnalyzed) await db.database.query('analyze')
  const read = new Map<string, number>()
  await all(200, (name, rows) => read.set(name, rows / rounds))
  await owner.end()
  return read
}

test.each([
  ['never analyzed', false],
  ['analyzed', true],
])(
  'row-level security reads no more than the statement asks for: tables %s',
  async (_name, isAnalyzed) => {
    const [asOwner, asRole] = [await readBy('owner', isAnalyzed), await readBy('role', isAnalyzed)]
    expect(asRole.size).toBeGreaterThan(25)
    // The policies read a few rows of their own: the apps of the workspace, the message of a delivery.
    const more = [...asRole].filter(([name, read]) => read > (asOwner.get(name) ?? 0) * 1.2 + 60)
    expect(more).toEqual([])
  },
  120_000,
)
