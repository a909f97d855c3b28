import { Command, Option } from 'commander'
import { Failure, idOf } from '../failure.ts'
import type { Run } from '../session.ts'
import { type ImportOptions, importFile, importInput } from './import-file.ts'

/** `import <file>` */
export function importCommand(run: Run): Command {
  return new Command('import')
    .description('import people and devices from a file (NDJSON or CSV), at any size')
    .argument('<file>', 'the file; - for the standard input')
    .option('--workspace <id>', 'may be left out where there is one workspace')
    .option('--app <id>', 'the app of devices that name none; may be left out where there is one')
    .option(
      '--map-app <from=to>',
      'devices of one app (as the file has its id) go to another',
      collectPair,
      new Map<string, string>(),
    )
    .addOption(
      new Option('--format <name>', 'where the name of the file does not tell').choices([
        'ndjson',
        'csv',
      ]),
    )
    .option(
      '--as-of <time>',
      'when lines without a time of their own were true; what was registered later stays (now)',
      timeOf,
    )
    .option('--report <file>', 'where each line gets its verdict (<file>.report.ndjson)')
    .option('--no-report', 'tell bad lines alone')
    .option('--restart', 'begin anew, though an earlier import of the file broke off')
    .option('--quiet', 'show no progress')
    .addHelpText('after', help)
    .action((file: string, options: ImportOptions) =>
      run(
        (session) =>
          file === '-' ? importInput(session, options) : importFile(session, file, options),
        {
          connections: 6,
        },
      ),
    )
}

const help = `
A line of NDJSON is a person or a device:
  {"id": "ana", "attributes": {"plan": "pro"}}
  {"token": "…", "platform": "ios", "person_id": "ana", "last_used": 1763900000,
   "attributes": {"push_enabled": "true"}, "person_attributes": {"plan": "pro"}}
A CSV file names the same fields in its first line; attributes are columns like attributes.plan.

Lines go through the rules of registering. A line's time is its timestamp, else its last_used, else
--as-of: whatever is registered here since then stays, and the line is "late". Bad lines are
reported by number and field and stop nothing; the exit code is then 1.

An import that is interrupted goes on where it stood when it is started again: <file>.checkpoint.json.
Importing a line twice changes nothing.`

function collectPair(text: string, pairs: Map<string, string>): Map<string, string> {
  const [from = '', to = '', ...rest] = text.split('=')
  if (from === '' || to === '' || rest.length > 0) throw new Failure('--map-app must be from=to', 2)
  return new Map(pairs).set(from, idOf('--map-app', to))
}

function timeOf(text: string): number {
  const time = /^\d{1,12}$/.test(text) ? Number(text) * 1000 : Date.parse(text)
  if (Number.isNaN(time)) throw new Failure('--as-of must be unix seconds or an ISO 8601 time', 2)
  return time
}
