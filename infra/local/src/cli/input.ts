import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { Failure } from './failure.ts'

/** What a file holds, or the standard input (`-`). `name` is how the command line calls it. */
export async function readText(name: string, file: string): Promise<string> {
  if (file === '-') return text(process.stdin)
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'unknown'
    throw new Failure(`${name}: ${file} cannot be read (${code})`)
  }
}

/** A token as it was typed, or the first line of the standard input (`-`), which no history keeps. */
export async function tokenOf(given: string): Promise<string> {
  const token = given === '-' ? ((await text(process.stdin)).split('\n')[0]?.trim() ?? '') : given
  if (token === '') throw new Failure('<token> must not be empty', 2)
  return token
}

/** An object of JSON as it was typed. */
export function jsonObject(name: string, given: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(given)
  } catch {
    throw new Failure(`${name} must be JSON`, 2)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Failure(`${name} must be an object of JSON`, 2)
  }
  return { ...value }
}

/** A whole number as it was typed. */
export function wholeNumber(name: string, given: string): number {
  if (!/^\d{1,9}$/.test(given)) throw new Failure(`${name} must be a whole number`, 2)
  return Number(given)
}

/**
 * Attributes of `--attributes <json>`, `--set name=value` (text, or JSON where it is some) and
 * `--unset name`.
 */
export function attributesOf(options: {
  attributes?: string
  set?: string[]
  unset?: string[]
}): Record<string, unknown> | undefined {
  const { attributes, set = [], unset = [] } = options
  if (attributes === undefined && set.length === 0 && unset.length === 0) return undefined
  return {
    ...(attributes === undefined ? {} : jsonObject('--attributes', attributes)),
    ...Object.fromEntries(set.map(pairOf)),
    ...Object.fromEntries(unset.map((name) => [name, null])),
  }
}

function pairOf(given: string): [string, unknown] {
  const equals = given.indexOf('=')
  if (equals <= 0) throw new Failure('--set must be name=value', 2)
  const value = given.slice(equals + 1)
  return [given.slice(0, equals), jsonOrText(value)]
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
