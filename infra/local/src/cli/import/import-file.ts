import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { FieldProblem } from '@pushkeep/domain'
import { Failure } from '../failure.ts'
import { printError } from '../print.ts'
import type { Answer, Session } from '../session.ts'
import {
  type Checkpoint,
  emptyTally,
  identityOf,
  readCheckpoint,
  removeCheckpoint,
  type Tally,
  writeCheckpoint,
} from './checkpoint.ts'
import { readCsv } from './csv.ts'
import { readNdjson } from './ndjson.ts'
import { createProgress } from './progress.ts'
import type { FileRecord } from './records.ts'
import { noReport, openReport } from './report.ts'
import { runImport } from './run-import.ts'
import { noteImport, type TargetOptions, targetOf } from './target.ts'

export interface ImportOptions extends TargetOptions {
  format?: 'ndjson' | 'csv'
  asOf?: number
  report?: string | false
  restart?: true
  quiet?: true
}

/** A file is imported with a checkpoint, and a report beside it. */
export async function importFile(
  session: Session,
  file: string,
  options: ImportOptions,
): Promise<Answer> {
  const { size } = await statOf(file)
  const format = options.format ?? formatOf(file)
  const checkpointFile = `${file}.checkpoint.json`
  const of = await identityOf(file, [options.workspace, options.app, [...options.mapApp], format])
  if (options.restart) await removeCheckpoint(checkpointFile)
  const begun = await readCheckpoint(checkpointFile, of)
  const asOf = begun?.as_of ?? options.asOf ?? Date.now()
  const target = await targetOf(session.database, options, asOf)
  await noteImport(session.database, target)
  const from = { line: begun?.line ?? 0, bytes: begun?.bytes ?? 0 }
  const reportFile = reportFileOf(file, options)
  const report = reportFile ? await openReport(reportFile, begun?.report_bytes ?? 0) : noReport
  let columns = begun?.columns ?? null
  const input = createReadStream(file, { start: from.bytes, highWaterMark: 1 << 18 })
  const records = recordsOf(format, input, from, columns, (found) => {
    columns = found
  })
  const bad = badLines()
  const progress = progressOf(options, size, from.bytes)
  if (begun && !options.quiet) {
    printError(`Going on after line ${from.line.toLocaleString('en')} (${checkpointFile}).`)
  }
  let lines = 0
  const began = performance.now()
  try {
    const tally = await runImport({
      database: session.database,
      records,
      target,
      tally: begun?.tally ?? emptyTally,
      report,
      onInvalid: bad.add,
      batchSize,
      async onCommitted({ line, bytes }, tally, reportBytes) {
        const checkpoint: Checkpoint = {
          of,
          line,
          bytes,
          columns,
          as_of: asOf,
          report_bytes: reportBytes,
          tally: { ...tally },
        }
        await writeCheckpoint(checkpointFile, checkpoint)
        lines = line - from.line
        progress?.show(bytes, lines, tally)
      },
    })
    progress?.show(size, lines, tally, true)
    await removeCheckpoint(checkpointFile)
    return answerOf(tally, lines, performance.now() - began, reportFile, bad)
  } finally {
    input.destroy()
    await report.close()
  }
}

/** The standard input cannot be read again: without a checkpoint, and a report only where one is named. */
export async function importInput(session: Session, options: ImportOptions): Promise<Answer> {
  const target = await targetOf(session.database, options, options.asOf ?? Date.now())
  await noteImport(session.database, target)
  const report = options.report ? await openReport(options.report, 0) : noReport
  const from = { line: 0, bytes: 0 }
  const records = recordsOf(options.format ?? 'ndjson', process.stdin, from, null, () => {})
  const bad = badLines()
  const progress = progressOf(options, null, 0)
  let lines = 0
  const began = performance.now()
  try {
    const tally = await runImport({
      database: session.database,
      records,
      target,
      tally: emptyTally,
      report,
      onInvalid: bad.add,
      batchSize,
      async onCommitted({ line, bytes }, tally) {
        lines = line
        progress?.show(bytes, lines, tally)
      },
    })
    progress?.show(0, lines, tally, true)
    return answerOf(tally, lines, performance.now() - began, options.report || null, bad)
  } finally {
    await report.close()
  }
}

/** Lines that go into the database together; what a kill costs is that much done twice. */
const batchSize = 2000

function recordsOf(
  format: 'ndjson' | 'csv',
  input: AsyncIterable<Buffer>,
  from: { line: number; bytes: number },
  columns: string[] | null,
  onColumns: (columns: string[]) => void,
): AsyncIterable<FileRecord> {
  return format === 'csv' ? readCsv(input, from, columns, onColumns) : readNdjson(input, from)
}

async function statOf(file: string) {
  try {
    return await stat(file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown'
    throw new Failure(`<file>: ${file} cannot be read (${code})`)
  }
}

function formatOf(file: string): 'ndjson' | 'csv' {
  if (/\.csv$/i.test(file)) return 'csv'
  if (/\.(ndjson|jsonl)$/i.test(file)) return 'ndjson'
  throw new Failure('say --format ndjson or --format csv: the name of the file does not tell', 2)
}

function reportFileOf(file: string, { report }: ImportOptions): string | null {
  if (report === false) return null
  return report ?? `${file}.report.ndjson`
}

function progressOf({ quiet }: ImportOptions, total: number | null, bytes: number) {
  if (quiet) return null
  return createProgress({ stream: process.stderr, total, bytes, now: () => performance.now() })
}

/** The first bad lines, for whoever is looking. */
function badLines() {
  const shown: string[] = []
  return {
    shown,
    add(line: number, errors: readonly FieldProblem[]) {
      if (shown.length >= shownMax) return
      shown.push(
        ...errors.map(({ path, message }) => `line ${line}: ${path} ${message}`).slice(0, shownMax),
      )
    },
  }
}

const shownMax = 10

function answerOf(
  tally: Tally,
  lines: number,
  ms: number,
  report: string | null,
  { shown }: ReturnType<typeof badLines>,
): Answer {
  const perSecond = Math.round(lines / Math.max(0.001, ms / 1000))
  const counts = (['created', 'updated', 'identified', 'late', 'invalid'] as const)
    .map((verdict) => `${tally[verdict].toLocaleString('en')} ${verdict}`)
    .join(', ')
  const text = [
    ...shown,
    ...(tally.invalid > shown.length && report ? [`… and more: see ${report}`] : []),
    `${counts} (${perSecond.toLocaleString('en')} lines a second)`,
  ].join('\n')
  return {
    text,
    json: { ...tally, lines, lines_per_second: perSecond, report },
    exitCode: tally.invalid > 0 ? 1 : 0,
  }
}
