import { type AuditEntry, installationNo, readAudit, type Sql } from '@pushkeep/store'
import { Command } from 'commander'
import { Failure } from './failure.ts'
import { chosenWorkspace } from './queries.ts'
import type { Answer, Run } from './session.ts'
import { line } from './view.ts'

/** Entries that are read at a time. */
const pageSize = 500

/** Which log is meant. */
interface LogOptions {
  workspace?: string
  installation?: true
}

async function chosenLog(sql: Sql, { workspace, installation }: LogOptions): Promise<number> {
  return installation ? installationNo : (await chosenWorkspace(sql, workspace)).workspaceNo
}

/** `audit list`, `audit verify` */
export function auditCommand(run: Run): Command {
  const command = new Command('audit').description(
    'what operators did, and whether the log is whole',
  )
  command
    .command('list')
    .description('the last hundred entries, newest first')
    .option('--workspace <id>', 'may be left out where there is one workspace')
    .option('--installation', 'what belongs to no workspace: tries to sign in, say')
    .action((options: LogOptions) => run(({ database }) => list(database, options)))
  command
    .command('verify')
    .description('check that no entry was changed or taken out')
    .option('--workspace <id>', 'may be left out where there is one workspace')
    .option('--installation', 'what belongs to no workspace')
    .action((options: LogOptions) => run(({ database }) => verify(database, options)))
  return command
}

async function list(sql: Sql, options: LogOptions): Promise<Answer> {
  const workspaceNo = await chosenLog(sql, options)
  const page = { workspaceNo, appNo: null, before: null, limit: 100 }
  const { entries } = await readAudit(sql, page)
  return { text: entries.map(lineOf).join('\n'), json: entries.map(jsonOf) }
}

function lineOf(entry: AuditEntry): string {
  const { entryNo, at, key, address, action, targetKind, target, isIntact } = entry
  const who = key ? `${key.name} (${key.role ?? 'public'})` : address ? 'no key' : 'pushkeep'
  const flaw = isIntact ? '' : '(changed, or the one before it is missing)'
  const place = address ? `from ${address}` : ''
  return line([entryNo, at.toISOString(), who, place, action, targetKind, target ?? 'erased', flaw])
}

function jsonOf(entry: AuditEntry) {
  const { entryNo, at, key, address, action, targetKind, target, detail, isIntact } = entry
  return {
    number: entryNo,
    at,
    key,
    address,
    action,
    target: { kind: targetKind, id: target },
    detail,
    is_intact: isIntact,
  }
}

/** Reads the whole log. What was taken off its end leaves no trace in it: the last number is told. */
async function verify(sql: Sql, options: LogOptions): Promise<Answer> {
  const workspaceNo = await chosenLog(sql, options)
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
  if (broken.length > 0) {
    const numbers = broken.reverse().join(', ')
    throw new Failure(`changed, or without the one before: ${numbers}. Compare with a backup.`)
  }
  const text = `${checked} entries, the last of them number ${last}: each is unchanged and follows the one before.`
  return { text, json: { checked, last } }
}
