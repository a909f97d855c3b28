import {
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import type { AuditHead } from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import { type EncryptionKey, keysIn } from './encryption.ts'

/** PKCS #8 of an Ed25519 key (RFC 8410) up to its 32 bytes. */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The signing key follows from the encryption key: who has the database alone cannot sign. */
function signingKeyOf(key: Buffer): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', key, '', 'pushkeep audit head', 32))
  return createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, seed]),
    format: 'der',
    type: 'pkcs8',
  })
}

function publicKeyOf(privateKey: KeyObject): string {
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).toString('base64')
}

/** What is signed: one line of text, so that other tools can check it. */
function signedText(head: Omit<AuditHead, 'public_key' | 'signature'>): Buffer {
  const { workspace_no, entry, hash, at, signed_at } = head
  return Buffer.from(`pushkeep-audit-head ${workspace_no} ${entry} ${hash} ${at} ${signed_at}`)
}

interface HeadRow {
  entry: number
  hash: string
  at: Date
}

async function entryOf(sql: Sql, workspaceNo: number, entry: number | null) {
  const { rows } = await sql.query<HeadRow>(
    `select entry_no::float8 as entry, encode(hash, 'hex') as hash, at from audit_log
     where workspace_no = $1 and ($2::bigint is null or entry_no = $2)
     order by entry_no desc limit 1`,
    [workspaceNo, entry],
  )
  return rows[0] ?? null
}

/** The head of a log as it is now; null where it has no entry. */
export async function signAuditHead(
  sql: Sql,
  key: EncryptionKey,
  workspaceNo: number,
  now: number,
): Promise<AuditHead | null> {
  const row = await entryOf(sql, workspaceNo, null)
  if (!row) return null
  const privateKey = signingKeyOf(keysIn(key)[0])
  const head = {
    workspace_no: workspaceNo,
    entry: row.entry,
    hash: row.hash,
    at: row.at.toISOString(),
    signed_at: new Date(now).toISOString(),
  }
  const signature = sign(null, signedText(head), privateKey).toString('base64')
  return { ...head, public_key: publicKeyOf(privateKey), signature }
}

/** Whose signature a head has: one of these keys', another one's that fits its text, or none that fits. */
export type HeadSignature = 'ours' | 'other' | 'forged'

export function checkHeadSignature(head: AuditHead, key: EncryptionKey | null): HeadSignature {
  let publicKey: KeyObject
  try {
    const der = Buffer.from(head.public_key, 'base64')
    publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
  } catch {
    return 'forged'
  }
  const signature = Buffer.from(head.signature, 'base64')
  if (!verify(null, signedText(head), publicKey, signature)) return 'forged'
  const own = key === null ? [] : keysIn(key).map((one) => publicKeyOf(signingKeyOf(one)))
  return own.includes(head.public_key) ? 'ours' : 'other'
}

/** What became of the entry that a head is of. */
export type HeadVerdict = 'there' | 'cut-off' | 'rewritten'

export async function checkAuditHead(sql: Sql, head: AuditHead): Promise<HeadVerdict> {
  const row = await entryOf(sql, head.workspace_no, head.entry)
  if (!row) return 'cut-off'
  return row.hash === head.hash ? 'there' : 'rewritten'
}

/** The numbers of all logs that have an entry. */
export async function auditLogs(sql: Sql): Promise<number[]> {
  const { rows } = await sql.query<{ no: number }>(
    `select workspace_no as no from workspaces w
     where exists (select from audit_log where workspace_no = w.workspace_no)
     union all
     select 0 where exists (select from audit_log where workspace_no = 0)
     order by 1`,
  )
  return rows.map(({ no }) => no)
}
