import type { CredentialFinding, CredentialOutcome, Json, Provider, Role } from '@pushkeep/domain'
import { v7 as uuidv7 } from 'uuid'
import { putCredentials } from './apps.ts'
import { audit } from './audit-log.ts'
import { type Database, inTransaction, type Sql } from './connect.ts'
import { boxKeyOf, lockInBox, openBox } from './credential-box.ts'
import type { EncryptionKey } from './encryption.ts'

export interface CredentialTask {
  id: string
  kind: 'check' | 'replace'
  provider: Provider
  askedBy: string
  askedAt: Date
  /** null: not done yet. */
  finishedAt: Date | null
  outcome: CredentialOutcome | null
  findings: CredentialFinding[]
}

/** Who asks for a task. */
export interface Asker {
  workspaceNo: number
  key: { id: string; name: string; role: Role }
  address?: string | null
}

export interface NewCheck {
  asker: Asker
  appNo: number
  appId: string
  provider: Provider
}

export interface NewReplacement extends NewCheck {
  /** What may be shown: topic, team and key id; project id. */
  settings: Record<string, Json>
  expiresAt: Date | null
  /** The key material. */
  secret: string
  /** Store it also where the provider cannot be asked. */
  isForced: boolean
}

function contextOf(appNo: number, provider: Provider): string {
  return `${appNo}|${provider}`
}

/** Asks the workers whether a provider takes an app's credentials. Returns the task's id. */
export async function askCheck(database: Database, check: NewCheck): Promise<string> {
  const id = uuidv7()
  const { asker, appNo, appId, provider } = check
  await inTransaction(database, async (sql) => {
    await sql.query(
      `insert into credential_tasks (id, app_no, provider, kind, actor)
       values ($1, $2, $3, 'check', $4)`,
      [id, appNo, provider, asker],
    )
    await audit(sql, {
      actor: asker,
      action: 'credentials.check',
      target: { kind: 'app', id: appId },
      appNo,
      detail: { provider },
    })
  })
  return id
}

/**
 * Asks the workers to replace an app's credentials. The key material is locked here, so that they
 * alone can read it. null: no worker has ever started, so that there is no lock yet.
 */
export async function askReplacement(
  sql: Sql,
  replacement: NewReplacement,
): Promise<string | null> {
  const { asker, appNo, provider, settings, expiresAt, secret, isForced } = replacement
  const { rows } = await sql.query<{ key: Buffer }>(
    'select public_key as key from credential_boxes',
  )
  const [box] = rows
  if (!box) return null
  const id = uuidv7()
  const boxed = await lockInBox(box.key, secret, contextOf(appNo, provider))
  await sql.query(
    `insert into credential_tasks (id, app_no, provider, kind, actor, settings, expires_at, boxed,
                                   is_forced)
     values ($1, $2, $3, 'replace', $4, $5, $6, $7, $8)`,
    [id, appNo, provider, asker, settings, expiresAt, boxed, isForced],
  )
  return id
}

const taskColumns = `
  t.id, t.kind, t.provider, t.actor #>> '{key,name}' as "askedBy", t.asked_at as "askedAt",
  t.finished_at as "finishedAt", t.outcome, coalesce(t.findings, '[]') as findings`

/** The task with this id of one of these apps, or null. */
export async function findTask(
  sql: Sql,
  { appNos, id }: { appNos: readonly number[]; id: string },
): Promise<CredentialTask | null> {
  const { rows } = await sql.query<CredentialTask>({
    name: 'find-credential-task',
    text: `select ${taskColumns} from credential_tasks t where t.id = $1 and t.app_no = any($2)`,
    values: [id, appNos],
  })
  return rows[0] ?? null
}

/** The last task of each provider of these apps. */
export async function lastTasks(
  sql: Sql,
  appNos: readonly number[],
): Promise<(CredentialTask & { appNo: number })[]> {
  const { rows } = await sql.query<CredentialTask & { appNo: number }>({
    name: 'last-credential-tasks',
    text: `
      select ap.app_no as "appNo", ${taskColumns}
      from app_providers ap
      cross join lateral (
        select * from credential_tasks
        where app_no = ap.app_no and provider = ap.provider order by task_no desc limit 1) t
      where ap.app_no = any($1)`,
    values: [appNos],
  })
  return rows
}

/** A task in the hands of a worker. */
export interface TakenTask {
  taskNo: string
  kind: 'check' | 'replace'
  appNo: number
  appId: string
  provider: Provider
  asker: Asker
  /** Of a replacement: the new credentials in clear; null where they cannot be opened. */
  replacement: {
    settings: Record<string, Json>
    expiresAt: Date | null
    secret: string
    isForced: boolean
  } | null
}

interface TakenRow extends Omit<TakenTask, 'replacement'> {
  settings: Record<string, Json> | null
  expiresAt: Date | null
  boxed: Buffer | null
  isForced: boolean
}

/** A worker that took a task and said nothing for so long is gone: somebody else takes it. */
const abandonedSeconds = 60

/** Takes the next task that nobody works on; null where there is none. */
export async function takeTask(sql: Sql, key: EncryptionKey): Promise<TakenTask | null> {
  const { rows } = await sql.query<TakenRow>({
    name: 'take-credential-task',
    text: `
      with next as materialized (
        select task_no from credential_tasks
        where finished_at is null
          and (taken_at is null or taken_at < now() - interval '${abandonedSeconds} seconds')
        order by task_no limit 1 for update skip locked
      ), taken as (
        update credential_tasks t set taken_at = now() from next where t.task_no = next.task_no
        returning t.*
      )
      select t.task_no::text as "taskNo", t.kind, t.app_no as "appNo", a.id as "appId", t.provider,
             t.actor as asker, t.settings, t.expires_at as "expiresAt", t.boxed,
             t.is_forced as "isForced"
      from taken t join apps a on a.app_no = t.app_no`,
  })
  const [row] = rows
  if (!row) return null
  const { settings, expiresAt, boxed, isForced, ...task } = row
  const secret =
    boxed && (await openBox(key, boxed, contextOf(task.appNo, task.provider)).catch(() => null))
  return {
    ...task,
    replacement: settings && secret ? { settings, expiresAt, secret, isForced } : null,
  }
}

/**
 * Ends a task with what was found out, and with `replaced` makes the new credentials those of the
 * app, in one transaction with its entry in the audit log.
 */
export async function finishTask(
  database: Database,
  key: EncryptionKey,
  task: TakenTask,
  { outcome, findings }: { outcome: CredentialOutcome; findings: CredentialFinding[] },
): Promise<void> {
  const { appNo, provider, replacement } = task
  await inTransaction(database, async (sql) => {
    const { rowCount } = await sql.query(
      `update credential_tasks set finished_at = now(), outcome = $2, findings = $3, boxed = null
       where task_no = $1 and finished_at is null`,
      [task.taskNo, outcome, JSON.stringify(findings)],
    )
    // Somebody else took it for abandoned, and was faster.
    if (rowCount === 0) return
    if (outcome === 'replaced' && replacement) {
      await putCredentials(sql, key, { appNo, provider, ...replacement })
    }
    if (task.kind === 'replace') {
      await audit(sql, {
        actor: task.asker,
        action: 'credentials.replace',
        target: { kind: 'app', id: task.appId },
        appNo,
        detail: { provider, outcome },
      })
    }
  })
}

/** Tells whoever has new credentials how to lock them. Called by each worker when it starts. */
export async function publishBoxKey(sql: Sql, key: EncryptionKey): Promise<void> {
  await sql.query(
    `insert into credential_boxes (public_key) values ($1)
     on conflict (is_only) do update set public_key = excluded.public_key, updated_at = now()
     where credential_boxes.public_key <> excluded.public_key`,
    [await boxKeyOf(key)],
  )
}

/** Forgets tasks of long ago. */
export async function dropOldTasks(sql: Sql): Promise<void> {
  await sql.query(
    `delete from credential_tasks
     where finished_at < now() - interval '90 days' or asked_at < now() - interval '1 day' and finished_at is null`,
  )
}
