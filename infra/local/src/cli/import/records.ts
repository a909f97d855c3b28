import type { FieldProblem } from '@pushkeep/domain'

/** How far a file was read: how many lines, and the byte after the last of them. */
export interface Position {
  line: number
  bytes: number
}

/** One record of a file: what it says, or why it says nothing. */
export interface FileRecord {
  /** The line on which it begins, the first being 1. */
  line: number
  /** Behind it. */
  end: Position
  content: { kind: 'value'; value: unknown } | { kind: 'invalid'; errors: FieldProblem[] }
}

/** Longest line, in bytes. */
export const lineBytesMax = 1_048_576

/** A record that cannot be read. */
export function unreadable(line: number, end: Position, message: string): FileRecord {
  return { line, end, content: { kind: 'invalid', errors: [{ path: 'line', message }] } }
}
