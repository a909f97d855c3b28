import type { FieldProblem } from '@pushkeep/domain'
import {
  createImporter,
  type Database,
  type Imported,
  type ImportRow,
  isAttributesTooLarge,
} from '@pushkeep/store'
import type { Tally } from './checkpoint.ts'
import type { FileRecord, Position } from './records.ts'
import type { Report, Verdict } from './report.ts'
import { type Parsed, parseLine, type Target } from './row.ts'

export interface ImportRun {
  database: Database
  records: AsyncIterable<FileRecord>
  target: Target
  tally: Tally
  report: Report
  /** Told of each bad line. */
  onInvalid: (line: number, errors: readonly FieldProblem[]) => void
  /** Everything before this place is committed, and reported. */
  onCommitted: (position: Position, tally: Tally, reportBytes: number) => Promise<void>
  /** Lines that go into the database together. */
  batchSize: number
}

interface Line {
  line: number
  parsed: Parsed
}

/** Batches that are written at a time: of the next the people, while of the first the devices are. */
const batchesAtOnce = 3

/** Imports records batch by batch: while some are written, the next is read. */
export async function runImport(run: ImportRun): Promise<Tally> {
  const importRows = createImporter(run.database)
  const tally = { ...run.tally }
  const committing: Promise<void>[] = []
  let batch: Line[] = []
  let end: Position | null = null

  async function commit(lines: Line[], position: Position, before: Promise<void> | undefined) {
    const rows = lines.flatMap(({ parsed }) => (parsed.kind === 'row' ? [parsed.row] : []))
    const imported = await importRows(rows)
    await before
    let next = 0
    for (const { line, parsed } of lines) {
      if (parsed.kind === 'invalid') settle(line, 'invalid', parsed.errors)
      else settleImported(line, parsed.row, imported[next++])
    }
    await run.onCommitted(position, tally, await run.report.flush())
  }

  function begin(lines: Line[], position: Position) {
    const commitment = commit(lines, position, committing.at(-1))
    // Whoever waits for it is told; until then nobody is to call it unhandled.
    commitment.catch(() => {})
    committing.push(commitment)
  }

  function settleImported(line: number, row: ImportRow, result: Imported | undefined) {
    if (!result) throw new Error('a line has no verdict')
    if (result.kind === 'error') settle(line, 'invalid', [problemOf(result.error, row)])
    else settle(line, result.kind)
  }

  function settle(line: number, verdict: Verdict, errors?: readonly FieldProblem[]) {
    tally[verdict] += 1
    run.report.add(line, verdict, errors)
    if (errors) run.onInvalid(line, errors)
  }

  for await (const { line, content, end: after } of run.records) {
    const parsed = content.kind === 'value' ? parseLine(content.value, run.target) : content
    batch.push({ line, parsed })
    end = after
    if (batch.length < run.batchSize) continue
    if (committing.length === batchesAtOnce) await committing.shift()
    begin(batch, after)
    batch = []
  }
  if (batch.length > 0 && end) begin(batch, end)
  await committing.at(-1)
  return tally
}

function problemOf(error: unknown, row: ImportRow): FieldProblem {
  if (isAttributesTooLarge(error)) {
    const path = row.device && !row.person ? 'attributes' : 'person_attributes'
    return { path, message: 'would, together with those stored, be over 256 KiB' }
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  return { path: 'line', message: `is refused by the database (${code.slice(0, 10)})` }
}
