import { readFile } from 'node:fs/promises'
import { Failure } from './failure.ts'

/** The text of the file that an option names. */
export async function textOf(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown'
    throw new Failure(`${option}: ${path} cannot be read (${code})`)
  }
}
