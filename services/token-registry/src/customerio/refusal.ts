import { invalid, ProblemError, validateItem } from '@pushkeep/runtime'
import type { z } from 'zod'

/**
 * The status of a refusal. Customer.io's queues on phones drop a call upon 400 alone, and repeat for ever
 * what gets 413, 415 or 422: what is wrong with a call for good is 400.
 */
export function refusalStatus({ statusCode }: ProblemError): number {
  return [413, 414, 415, 422].includes(statusCode) ? 400 : statusCode
}

/** What is wrong, a line each. */
export function refusalMessages({ problem }: ProblemError): string[] {
  const { errors, detail, title } = problem
  if (!errors || errors.length === 0) return [detail ?? title]
  return [...new Set(errors.map(({ path, message }) => `${path} ${message}`))]
}

/** A part of a call as its schema has it; throws what is wrong, by the part's place in the call. */
export function validated<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: string,
): z.output<Schema> {
  const result = validateItem(schema, value, place)
  if (result.kind === 'valid') return result.value
  throw invalid(result.errors)
}

/** What Customer.io has and Pushkeep has not: refused, so that nobody believes that it was done. */
export function unsupported(what: string): ProblemError {
  return new ProblemError(400, 'unsupported', { detail: `${what}: Pushkeep has no such thing` })
}

/** What a key in an app's binary may not do. */
export function needsSecretKey(what: string): ProblemError {
  return new ProblemError(403, 'forbidden', { detail: `${what} needs a secret key` })
}
