import { type AuditEntry, readAudit, type Sql } from '@pushkeep/store'
import { Command } from 'commander'
import { head, type VerifyOptions, verifyLog } from './audit-verify.ts'
import { chosenLog, type LogOptions } from './queries.ts'
import type { Answer, Run } from './session.ts'
import { line } from './view.ts'

/** `audit list`, `audit verify`, `audit head` */
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
    .option('--head <file>', 'and that what stood in it at this head is in it still (- for stdin)')
    .option('--public-key <base64>', 'the key that signed it, where that is no more in use')
    .action((options: VerifyOptions) => run((session) => verifyLog(session, options)))
  command
    .command('head')
    .description('the newest entry, signed: keep it elsewhere, for audit verify --head')
    .option('--workspace <id>', 'may be left out where there is one workspace')
    .option('--installation', 'what belongs to no workspace')
    .action((options: LogOptions) => run((session) => head(session, options)))
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
