import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import {
  appsOf,
  audit,
  type ExportPage,
  exportDevices,
  exportPeople,
  type Sql,
} from '@pushkeep/store'
import { Command } from 'commander'
import { Failure, idOf } from '../failure.ts'
import { chosenWorkspace } from '../queries.ts'
import type { Answer, Run, Session } from '../session.ts'
import { deviceLine, personLine } from './lines.ts'

interface Options {
  workspace?: string
  app?: string
  people: boolean
  devices: boolean
}

/** `export [file]` */
export function exportCommand(run: Run): Command {
  return new Command('export')
    .description('write people, devices and attributes as lines of JSON, as import reads them')
    .argument('[file]', 'the file, readable by its owner alone; left out: the standard output')
    .option('--workspace <id>', 'may be left out where there is one workspace')
    .option('--app <id>', 'devices of this app alone')
    .option('--no-people', 'devices alone')
    .option('--no-devices', 'people alone')
    .addHelpText('after', help)
    .action((file: string | undefined, options: Options) =>
      run((session) =>
        file === undefined ? exportOutput(session, options) : exportFile(session, file, options),
      ),
    )
}

const help = `
The lines hold the tokens: whoever has them and the apps' credentials can send. Importing them elsewhere
makes the same people and devices there, with their statuses (see import --map-app). Deleted devices
have no token and are not in it. What changes while it runs may be in it or not.`

/** Rows that are read at a time. */
const pageSize = 5000

/** Where lines go. */
interface Sink {
  write(lines: readonly string[]): Promise<void>
}

async function exportFile(session: Session, file: string, options: Options): Promise<Answer> {
  const part = `${file}.part`
  const stream = createWriteStream(part, { mode: 0o600 })
  try {
    await once(stream, 'open')
    const counts = await exportAll(session.database, options, sinkOf(stream))
    stream.end()
    await finished(stream)
    // A file of this name is whole.
    await rename(part, file)
    return answerOf(counts, file)
  } catch (error) {
    stream.destroy()
    await rm(part, { force: true })
    const isOfFile = error instanceof Error && 'syscall' in error && 'path' in error
    if (isOfFile && 'code' in error) {
      throw new Failure(`[file]: ${file} cannot be written (${error.code})`)
    }
    throw error
  }
}

async function exportOutput(session: Session, options: Options): Promise<Answer> {
  if (process.stdout.isTTY) {
    throw new Failure('the lines hold tokens: name a file, or send the output to one', 2)
  }
  // Whoever read them may have read enough.
  let isClosed = false
  process.stdout.on('error', () => {
    isClosed = true
  })
  try {
    const counts = await exportAll(session.database, options, sinkOf(process.stdout))
    // The lines are the answer.
    return { ...answerOf(counts, null), isSaid: true }
  } catch (error) {
    if (!isClosed) throw error
    return { text: 'nobody reads on', json: null, isSaid: true, exitCode: 1 }
  }
}

async function exportAll(sql: Sql, options: Options, sink: Sink) {
  const { workspaceNo, id: workspaceId } = await chosenWorkspace(sql, options.workspace)
  const apps = await appsToExport(sql, workspaceNo, options.app)
  // Before the first line: one that breaks off has given away what it wrote.
  await audit(sql, {
    actor: { workspaceNo, key: null },
    action: 'data.export',
    target: { kind: 'workspace', id: workspaceId },
    appNo: options.app === undefined ? null : (apps[0]?.appNo ?? null),
    detail: { people: options.people, devices: options.devices },
  })
  const readPeople = (after: string) => exportPeople(sql, { workspaceNo, after, limit: pageSize })
  const people = options.people ? await writePages(sink, readPeople, personLine) : 0
  let devices = 0
  for (const { appNo, id } of options.devices ? apps : []) {
    const readDevices = (after: string) => exportDevices(sql, { appNo, after, limit: pageSize })
    devices += await writePages(sink, readDevices, (device) => deviceLine(device, id))
  }
  return { people, devices }
}

async function appsToExport(sql: Sql, workspaceNo: number, id: string | undefined) {
  const apps = await appsOf(sql, workspaceNo)
  if (id === undefined) return apps
  const named = apps.filter((app) => app.id === idOf('--app', id))
  if (named.length === 0) throw new Failure(`--app: the workspace has no app ${id}`)
  return named
}

async function writePages<Row>(
  sink: Sink,
  read: (after: string) => Promise<ExportPage<Row>>,
  lineOf: (row: Row) => string,
): Promise<number> {
  let count = 0
  let after: string | null = '0'
  while (after !== null) {
    const { rows, next }: ExportPage<Row> = await read(after)
    await sink.write(rows.map(lineOf))
    count += rows.length
    after = next
  }
  return count
}

function sinkOf(stream: Writable): Sink {
  return {
    async write(lines) {
      if (lines.length === 0) return
      const text = `${lines.join('\n')}\n`
      // A reader that is slow makes us wait, and one that is gone ends us.
      if (!stream.write(text)) await once(stream, 'drain')
    },
  }
}

function answerOf(counts: { people: number; devices: number }, file: string | null): Answer {
  const text = `${counts.people.toLocaleString('en')} people, ${counts.devices.toLocaleString('en')} devices`
  return { text: file === null ? text : `${text}: ${file}`, json: { ...counts, file } }
}
