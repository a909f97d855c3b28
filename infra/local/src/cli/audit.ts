import { type AuditEntry, readAudit, type Sql } from '@pushkeep/store'
import { Command } from 'commander'
import { Failure } from './failure.ts'
import { chosenWorkspace } from './queries.ts'
import type { Answer, Run } from './session.ts'
import { line } from './view.ts'

/** Entries that are read at a time. */
const pageSize = 500

/** `audit list`, `audit verify` */
export function auditCommand(run: Run): Command {
  const command = new Command('audit').description(
    'what operators did, and whether the log is whole',
  )
  command
    .command('list')
    .description('the last hundred entries, newest first')
    .option('--workspace <id>', 'may be left out where there is one workspace')
    .action((options: { workspace?: string }) =>
      run(({ database }) => list(database, options.workspace)),
    )
  command
    .command('verify')
    .description('check that no entry was changed or taken out')
    .option('--workspace <id>', 'may be left out where there is one workspace')
    .action((options: { workspace?: string }) =>
      run(({ database }) => verify(database, options.workspace)),
    )
  return command
}

async function list(sql: Sql, workspaceId: string | undefined): Promise<Answer> {
  const { workspaceNo } = await chosenWorkspace(sql, workspaceId)
  const page = { workspaceNo, appNo: null, before: null, limit: 100 }
  const { entries } = await readAudit(sql, page)
  return { text: entries.map(lineOf).join('\n'), json: entries.map(jsonOf) }
}

function lineOf({ entryNo, at, key, action, targetKind, target, isIntact }: AuditEntry): string {
  const who = key ? `${key.name} (${key.role})` : 'pushkeep'
  const flaw = isIntact ? '' : '(changed, or the one before it is missing)'
  return line([entryNo, at.toISOString(), who, action, targetKind, target ?? 'erased', flaw])
}

function jsonOf({ entryNo, at, key, action, targetKind, target, detail, isIntact }: AuditEntry) {
  return {
    number: entryNo,
    at,
    key,
    action,
    target: { kind: targetKind, id: target },
    detail,
    is_intact: isIntact,
  }
}

/** Reads the whole log. What was taken off its end leaves no trace in it: the last number is told. */
async function verify(sql: Sql, workspaceId: string | undefined): Promise<Answer> {
  const { workspaceNo } = await chosenWorkspace(sql, workspaceId)
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
