import { AuditHead } from '@pushkeep/domain'
import {
  checkAuditHead,
  checkHeadSignature,
  type HeadVerdict,
  readAudit,
  type Sql,
  signAuditHead,
} from '@pushkeep/store'
import { Failure } from './failure.ts'
import { readText } from './input.ts'
import { chosenLog, type LogOptions } from './queries.ts'
import type { Answer, Session } from './session.ts'

export interface VerifyOptions extends LogOptions {
  head?: string
  publicKey?: string
}

/** Entries that are read at a time. */
const pageSize = 500

/** The newest entry of a log, signed, as one line of JSON. */
export async function head(session: Session, options: LogOptions): Promise<Answer> {
  const { database } = session
  const workspaceNo = await chosenLog(database, options)
  const key = await session.encryptionKey()
  const signed = await signAuditHead(database, key, workspaceNo, Date.now())
  if (!signed) throw new Failure('the log has no entry yet')
  return { text: JSON.stringify(signed), json: signed }
}

/** Reads the whole log; with a head, also looks whether it still has what it had then. */
export async function verifyLog(session: Session, options: VerifyOptions): Promise<Answer> {
  const { database } = session
  const kept = options.head === undefined ? null : await readHead(options.head)
  const workspaceNo = kept?.workspace_no ?? (await chosenLog(database, options))
  if (kept) await checkHead(session, kept, options.publicKey)
  const { checked, last, broken } = await walk(database, workspaceNo)
  if (broken.length > 0) {
    const numbers = broken.join(', ')
    throw new Failure(`changed, or without the one before: ${numbers}. Compare with a backup.`)
  }
  const whole = `${checked} entries, the last of them number ${last}: each is unchanged and follows the one before.`
  const since = kept ? ` It has what it had at ${kept.signed_at}.` : ''
  return { text: whole + since, json: { checked, last, ...(kept && { head: kept.entry }) } }
}

async function walk(sql: Sql, workspaceNo: number) {
  const broken: number[] = []
  let checked = 0
  let last = 0
  let before: number | null = null
  do {
    const page = await readAudit(sql, { workspaceNo, appNo: null, before, limit: pageSize })
    last = Math.max(last, page.entries[0]?.entryNo ?? 0)
    checked += page.entries.length
    broken.push(...page.entries.filter((entry) => !entry.isIntact).map((entry) => entry.entryNo))
    before = page.next
  } while (before !== null)
  return { checked, last, broken: broken.reverse() }
}

async function readHead(file: string): Promise<AuditHead> {
  const text = await readText('--head', file)
  try {
    return AuditHead.parse(JSON.parse(text))
  } catch {
    throw new Failure(`--head: ${file} is not what pushkeep audit head prints`)
  }
}

const verdictWords: Record<Exclude<HeadVerdict, 'there'>, string> = {
  'cut-off': 'is gone: the log was cut off',
  rewritten: 'is another one now: the log was written anew',
}

async function checkHead(session: Session, kept: AuditHead, publicKey: string | undefined) {
  const key = publicKey === undefined ? await session.encryptionKey() : null
  const signature = checkHeadSignature(kept, key)
  const isTrusted = signature === 'ours' || publicKey === kept.public_key
  if (signature === 'forged') throw new Failure('--head: its signature does not fit')
  if (!isTrusted) {
    throw new Failure(
      '--head: it is signed with another key than PUSHKEEP_ENCRYPTION_KEY; name the one that you trust with --public-key',
    )
  }
  const verdict = await checkAuditHead(session.database, kept)
  if (verdict !== 'there') throw new Failure(`entry ${kept.entry} ${verdictWords[verdict]}`)
}
