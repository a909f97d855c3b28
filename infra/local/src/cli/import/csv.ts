import { pipeline } from 'node:stream/promises'
import { CsvError, parse } from 'csv-parse'
import { Failure } from '../failure.ts'
import { type FileRecord, lineBytesMax, type Position, unreadable } from './records.ts'

const ownColumns = new Set([
  'type',
  'id',
  'token',
  'platform',
  'person_id',
  'app_id',
  'last_used',
  'environment',
  'installation_id',
  'previous_token',
  'timestamp',
  'registered_at',
  'suppressed',
])

const attributePrefixes = ['attributes.', 'person_attributes.'] as const

/** Fails where a column is none that an import knows. */
export function checkColumns(columns: readonly string[]): void {
  for (const column of columns) {
    const prefix = attributePrefixes.find((one) => column.startsWith(one))
    const isKnown =
      ownColumns.has(column) || (prefix !== undefined && column.length > prefix.length)
    if (isKnown) continue
    throw new Failure(
      `the column "${column.slice(0, 100)}" is not known: ${[...ownColumns].join(', ')}, ` +
        'attributes.<name> or person_attributes.<name>',
      2,
    )
  }
  if (!columns.includes('token') && !columns.includes('id')) {
    throw new Failure('the file needs a column "token" (of devices) or "id" (of people)', 2)
  }
}

interface Info {
  lines: number
  bytes: number
}

/**
 * The records of a CSV file, whose first line names its columns. `columns` are those of a file that
 * is read on from a position; `onColumns` is told those of one that is read from its beginning.
 */
export async function* readCsv(
  input: AsyncIterable<Buffer>,
  from: Position,
  columns: readonly string[] | null,
  onColumns: (columns: string[]) => void,
): AsyncGenerator<FileRecord> {
  const bad: FileRecord[] = []
  const at = (info: Info): Position => ({
    line: from.line + info.lines,
    bytes: from.bytes + info.bytes,
  })
  const parser = parse({
    bom: columns === null,
    info: true,
    max_record_size: lineBytesMax,
    skip_empty_lines: true,
    skip_records_with_error: true,
    columns: columns
      ? [...columns]
      : (header: string[]) => {
          checkColumns(header)
          onColumns(header)
          return header
        },
    on_skip: (error) => {
      if (!(error instanceof CsvError)) return undefined
      const info: unknown = Reflect.get(error, 'bytes')
      const lines = Number(Reflect.get(error, 'lines') ?? 0)
      const end = at({ lines, bytes: Number(info ?? 0) })
      bad.push(unreadable(end.line, end, reasonOf(error.code)))
      return undefined
    },
  })
  // What fails on the way fails the loop.
  void pipeline(input, parser).catch(() => {})
  for await (const { record, info } of parser as AsyncIterable<{
    record: Record<string, string>
    info: Info
  }>) {
    const end = at(info)
    // Bad ones are known as soon as they are read, good ones come when they are asked for.
    while (bad[0] && bad[0].line < end.line) yield* bad.splice(0, 1)
    yield { line: end.line, end, content: { kind: 'value', value: objectOf(record) } }
  }
  yield* bad
}

function reasonOf(code: string): string {
  if (code === 'CSV_RECORD_INCONSISTENT_COLUMNS') return 'has another number of columns'
  if (code === 'CSV_MAX_RECORD_SIZE') return `is over ${lineBytesMax} bytes`
  return 'is not valid CSV'
}

const digits = /^\d{1,12}(\.\d{1,3})?$/

/** A record as a JSON line would say it. An empty cell says nothing. */
function objectOf(record: Record<string, string>): Record<string, unknown> {
  const fields: [string, unknown][] = []
  const groups = new Map<string, [string, string][]>()
  for (const [column, cell] of Object.entries(record)) {
    if (cell === '') continue
    const dot = column.indexOf('.')
    if (dot < 0) fields.push([column, fieldOf(column, cell)])
    else {
      const group = column.slice(0, dot)
      const attributes = groups.get(group) ?? []
      attributes.push([column.slice(dot + 1), cell])
      groups.set(group, attributes)
    }
  }
  for (const [group, attributes] of groups) fields.push([group, Object.fromEntries(attributes)])
  return Object.fromEntries(fields)
}

function fieldOf(column: string, cell: string): unknown {
  if (column === 'suppressed') return booleanOf(cell)
  const isTime = column === 'timestamp' || column === 'registered_at'
  return isTime && digits.test(cell) ? Number(cell) : cell
}

function booleanOf(cell: string): boolean | string {
  const text = cell.toLowerCase()
  return text === 'true' ? true : text === 'false' ? false : cell
}
