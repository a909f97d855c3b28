import {
  connect,
  type Database,
  type DatabaseProgram,
  groupRole,
  inWorkspaces,
} from '@pushkeep/store'
import type { Attempt, Section } from '../attempt.ts'
import type { World } from '../world.ts'

/** Statements that the database refuses to the role of each program. */
const forbidden: readonly [DatabaseProgram, string][] = [
  ['registry', 'select secret from app_providers'],
  ['registry', 'select content from messages'],
  ['registry', 'select session_hash from console_sessions'],
  ['registry', 'select detail from audit_log'],
  ['registry', 'update api_keys set revoked_at = null'],
  ['registry', `insert into outbox (queue, ref) values ('plan', 1)`],
  ['registry', 'delete from audit_log'],
  ['sender', 'select secret from app_providers'],
  ['sender', 'select secret from identity_keys'],
  ['sender', `update audit_log set action = 'x'`],
  ['sender', 'delete from audit_log'],
  ['sender', 'delete from devices'],
  ['sender', 'truncate audit_log'],
  ['workers', 'select secret from identity_keys'],
  ['workers', 'select key_hash from api_keys'],
  ['workers', 'alter table audit_log disable trigger all'],
  ['workers', 'create table planted (a int)'],
  ['workers', 'drop table devices'],
  ['workers', 'create role planted superuser'],
  ['sender', `copy devices to program 'cat'`],
]

/** Rows of another workspace that a program asks for while it works for the attacker's. */
const tables: readonly [DatabaseProgram, string][] = [
  ['registry', 'people'],
  ['registry', 'devices'],
  ['registry', 'apps'],
  ['registry', 'person_events'],
  ['sender', 'people'],
  ['sender', 'messages'],
  ['sender', 'audit_log'],
]

/** The second line: database roles, and row-level security between workspaces. */
export function databaseSection({ local, database, victim, tenant }: World): Section {
  const as = async (program: DatabaseProgram, work: (own: Database) => Promise<string | null>) => {
    const settings = { role: groupRole(program) }
    const own = connect({ url: local.database_url, name: 'attack', connectionsMax: 1, settings })
    try {
      return await work(own)
    } finally {
      await own.end()
    }
  }
  const denied = ([program, text]: (typeof forbidden)[number]): Attempt => ({
    name: `${program}: ${text}`,
    run: () =>
      as(program, async (own) => {
        const fault = await own.query(text).then(
          () => 'the database did it',
          (error: unknown) =>
            /permission denied|must be owner/.test(String(error)) ? null : String(error),
        )
        return fault
      }),
  })
  const workspaceOf = async (appId: string) => {
    const { rows } = await database.query<{ no: number }>(
      'select workspace_no as no from apps where id = $1',
      [appId],
    )
    return rows[0]?.no ?? 0
  }
  const countOf = async (own: Database, table: string) => {
    const { rows } = await own.query<{ n: number }>(`select count(*)::int as n from ${table}`)
    return rows[0]?.n ?? 0
  }
  const unseen = ([program, table]: (typeof tables)[number], scope: 'another' | 'no'): Attempt => ({
    name: `${program} reads all ${table} while it works for ${scope} workspace`,
    run: () =>
      as(program, async (own) => {
        const workspaceNo = scope === 'no' ? [] : [await workspaceOf(tenant.appId)]
        const seen = await inWorkspaces(workspaceNo, () => countOf(own, table))
        const mine = await database.query<{ n: number }>(ownRows(table), [workspaceNo[0] ?? -1])
        const most = mine.rows[0]?.n ?? 0
        return seen <= most
          ? null
          : `${seen} rows of ${table}, of which ${most} are of the workspace`
      }),
  })
  return {
    name: 'database',
    control: () =>
      as('registry', async (own) => {
        const victimNo = await workspaceOf(victim.appId)
        const seen = await inWorkspaces([victimNo], () => countOf(own, 'people'))
        if (seen === 0) throw new Error('the registry sees nobody of its own workspace')
        return null
      }).then(() => {}),
    attempts: [
      ...forbidden.map(denied),
      ...tables.flatMap((one) => [unseen(one, 'another'), unseen(one, 'no')]),
    ],
  }
}

/** Counts the rows of one workspace, which its number names. */
function ownRows(table: string): string {
  return table === 'devices'
    ? 'select count(*)::int as n from devices join apps using (app_no) where workspace_no = $1'
    : `select count(*)::int as n from ${table} where workspace_no = $1`
}
