import type { Json, Role } from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import { aboveAll, parameterOr } from './secure-conditions.ts'

/**
 * Who acts: a key, with its name and role as they are now (a public key has none), or the `pushkeep` command
 * (null).
 */
export interface Actor {
  workspaceNo: number
  key: { id: string; name: string; role: Role | null } | null
  /** From where: the client's IP address, behind proxies that are trusted; none for the command. */
  address?: string | null
}

/** The log of what belongs to no workspace. */
export const installationNo = 0

/** What is written down: what operators do, and what concerns many people or somebody's data. */
export const auditActions = [
  'session.open',
  'session.close',
  'message.send',
  'message.cancel',
  'message.release',
  'provider.resume',
  'provider.bounces',
  'credentials.check',
  'credentials.replace',
  'key.create',
  'key.revoke',
  'app.create',
  'app.set',
  'identity.set',
  'identity.add-key',
  'identity.delete-key',
  'workspace.create',
  'person.suppress',
  'person.unsuppress',
  'person.delete',
  'person.erase',
  'person.merge',
  'person.view',
  'person.export',
  'message.broadcast',
  'data.export',
  'data.import',
  'access.refused',
  'session.refused',
  'log-level.set',
  'encryption.rotate',
  'queue.retry',
  'queue.clean',
  'queue.drain',
] as const
export type AuditAction = (typeof auditActions)[number]

/** What an action was done on. A person goes by number: erasing them leaves nothing in the log. */
export type AuditTarget =
  | { kind: 'workspace' | 'app' | 'key' | 'message' | 'queue'; id: string }
  | { kind: 'person'; personNo: string }

export interface NewAuditEntry {
  actor: Actor
  action: AuditAction
  target: AuditTarget
  /** The app that it is about; null: none, or all. */
  appNo: number | null
  /** Whatever else explains it. Never a token, a key, a credential or personal data. */
  detail: Record<string, Json>
}

/**
 * Writes down what an operator does. In the transaction that does it, where that is one of the
 * database's; before the deed, where it is not.
 */
export async function audit(sql: Sql, entry: NewAuditEntry): Promise<void> {
  const { actor, action, target, appNo, detail } = entry
  await sql.query(
    `insert into audit_log (workspace_no, key_id, key_name, role, action, app_no, target_kind,
                            target, detail, address)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      actor.workspaceNo,
      actor.key?.id ?? null,
      actor.key?.name ?? null,
      actor.key?.role ?? null,
      action,
      appNo,
      target.kind,
      target.kind === 'person' ? target.personNo : target.id,
      detail,
      actor.address ?? null,
    ],
  )
}

/** One row of the audit log as it is shown. */
export interface AuditEntry {
  entryNo: number
  at: Date
  /** null: the `pushkeep` command, or a caller without a key. */
  key: { id: string; name: string; role: Role | null } | null
  /** The IP address that it came from; null: the command, or not kept then. */
  address: string | null
  action: AuditAction
  appId: string | null
  targetKind: AuditTarget['kind']
  /** Its id; null for a person who was erased. */
  target: string | null
  detail: Record<string, Json>
  /** Whether it is unchanged and follows the entry with the number below. */
  isIntact: boolean
}

export interface AuditPage {
  entries: AuditEntry[]
  /** The number that the next page begins below; null at the end. */
  next: number | null
}

/**
 * A page of a workspace's audit log, newest first; with an `appNo`, what is about that app. Each
 * entry is held against its hash and against the entry before it.
 */
export async function readAudit(
  sql: Sql,
  page: { workspaceNo: number; appNo: number | null; before: number | null; limit: number },
): Promise<AuditPage> {
  const { rows } = await sql.query<AuditEntry>({
    name: 'read-audit',
    text: `
      select e.entry_no::int as "entryNo", e.at,
             case when e.key_id is not null then
               json_build_object('id', e.key_id, 'name', e.key_name, 'role', e.role) end as key,
             e.address, e.action, a.id as "appId", e.target_kind as "targetKind",
             case when e.target_kind = 'person' then p.id else e.target end as target, e.detail,
             e.hash = audit_hash(e)
               and coalesce(b.hash = e.previous_hash,
                            e.entry_no = 1 and e.previous_hash = sha256('')) as "isIntact"
      from audit_log e
      left join apps a on a.app_no = e.app_no
      left join lateral (
        select e.entry_no - 1 as entry_before,
               case when e.target_kind = 'person' then e.target::bigint end as person_no
        offset 0) t on true
      left join audit_log b on b.workspace_no = e.workspace_no and b.entry_no = t.entry_before
      left join people p on p.person_no = t.person_no
      where e.workspace_no = $1 and ($2::int is null or e.app_no = $2)
        and e.entry_no < ${parameterOr('$3::bigint', aboveAll)}
      order by e.entry_no desc limit $4`,
    values: [page.workspaceNo, page.appNo, page.before, page.limit + 1],
  })
  const entries = rows.slice(0, page.limit)
  return { entries, next: rows.length > page.limit ? (entries.at(-1)?.entryNo ?? null) : null }
}
