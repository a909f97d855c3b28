import { isDatabaseUnavailable } from '@pushkeep/store'
import { z } from 'zod'

/** What stops a command, in one line for whoever typed it. */
export class Failure extends Error {
  /** 2: the command line is wrong. 1: it was understood, and could not be done. */
  readonly exitCode: 1 | 2

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

// The server's own code for a table that is not there.
const undefinedTable = '42P01'

/** What went wrong, as a line. Messages of the database may repeat data: theirs are left out. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (isDatabaseUnavailable(error)) {
    return new Failure('the database does not answer: is it started (./scripts/start)?')
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === undefinedTable) {
    return new Failure('the database has no tables of Pushkeep yet: run pushkeep migrate')
  }
  if (code === '28P01') return new Failure('the database refuses the password of DATABASE_URL')
  if (code === '3D000') return new Failure('the database that DATABASE_URL names does not exist')
  if (/^[0-9A-Z]{5}$/.test(code)) return new Failure(`the database refuses (SQLSTATE ${code})`)
  return new Failure(error instanceof Error ? error.message : 'unknown error')
}

/** An id as the command line has it; fails where it cannot be one. */
export function idOf(name: string, text: string): string {
  if (!z.uuid().safeParse(text).success) throw new Failure(`${name} must be an id (a UUID)`, 2)
  return text.toLowerCase()
}
