import { type FileHandle, open } from 'node:fs/promises'
import type { FieldProblem } from '@pushkeep/domain'

export type Verdict = 'created' | 'updated' | 'identified' | 'late' | 'invalid'

/** A file with one verdict a line of the import; never a token, a person or a value. */
export interface Report {
  add(line: number, verdict: Verdict, errors?: readonly FieldProblem[]): void
  /** Writes what was added; resolves with the length of the file. */
  flush(): Promise<number>
  close(): Promise<void>
}

/** Opens a report anew (`bytes` 0) or goes on at a length: what a broken-off run wrote after it goes. */
export async function openReport(file: string, bytes: number): Promise<Report> {
  const handle = await openAt(file, bytes)
  let pending: string[] = []
  let length = bytes
  return {
    add(line, verdict, errors) {
      pending.push(`${JSON.stringify({ line, verdict, ...(errors ? { errors } : {}) })}\n`)
    },
    async flush() {
      const text = Buffer.from(pending.join(''))
      pending = []
      await handle.write(text, 0, text.length, length)
      length += text.length
      return length
    },
    close: () => handle.close(),
  }
}

async function openAt(file: string, bytes: number): Promise<FileHandle> {
  const handle = await open(file, bytes === 0 ? 'w' : 'r+', 0o600)
  await handle.truncate(bytes)
  return handle
}

/** A report that nobody wants. */
export const noReport: Report = {
  add: () => {},
  flush: async () => 0,
  close: async () => {},
}
