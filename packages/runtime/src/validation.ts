import type { FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify'
import { z } from 'zod'
import { type FieldError, invalid } from './problem.ts'

type Issue = z.core.$ZodIssue

/** More errors than this help nobody. */
const errorsMax = 20

/** Names and paths come from the caller, so that an error must not grow with them. */
const pathLengthMax = 200

/** Validates parts of a request by zod; what is wrong becomes one problem that names each field. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (data) => {
    // Fastify says null where there is no body.
    const checked = check(schema, data ?? undefined, httpPart ?? 'body')
    return checked.kind === 'valid' ? { value: checked.value } : { error: invalid(checked.errors) }
  }

export type Validated<Value> =
  | { kind: 'valid'; value: Value }
  | { kind: 'invalid'; errors: FieldError[] }

/** Checks a value; what is wrong is told by field, `whole` being the name of all of it. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  whole: string,
): Validated<z.output<Schema>> {
  const result = schema.safeParse(value, { error: messageOf })
  if (result.success) return { kind: 'valid', value: result.data }
  return { kind: 'invalid', errors: fieldErrors(result.error.issues, whole) }
}

/**
 * An item of a batch that has a verdict of its own: described as the schema says, taken as it comes,
 * and validated by `validateItem`, so that a bad one does not cost the others.
 */
export function itemOf(schema: z.ZodType): z.ZodUnknown {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: 'input' })
  return z.unknown().meta({ ...described, 'x-own-verdict': true })
}

/** Validates one item of a batch; `place` is its path in the body. */
export function validateItem<Schema extends z.ZodType>(
  schema: Schema,
  item: unknown,
  place: string,
): Validated<z.output<Schema>> {
  const checked = check(schema, item, '')
  if (checked.kind === 'valid') return checked
  const errors = checked.errors.map(({ path, message }) => ({
    path: path === '' ? place : `${place}.${path}`,
    message,
  }))
  return { kind: 'invalid', errors }
}

/** What zod found wrong, by field; `whole` names the value where the problem is all of it. */
export function fieldErrors(issues: readonly Issue[], whole: string): FieldError[] {
  return issues
    .flatMap((issue) => fieldErrorsOf(issue, []))
    .slice(0, errorsMax)
    .map(({ path, message }) => ({
      path: path.length === 0 ? whole : path.join('.').slice(0, pathLengthMax),
      message,
    }))
}

interface Found {
  path: PropertyKey[]
  message: string
}

function fieldErrorsOf(issue: Issue, parent: PropertyKey[]): Found[] {
  const path = [...parent, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: 'is not a known field' }))
  }
  if (issue.code === 'invalid_union') {
    const branch = nearestBranch(issue.errors)
    if (branch) return branch.flatMap((inner) => fieldErrorsOf(inner, path))
  }
  return [{ path, message: issue.message }]
}

/** Of a union, the branch that failed for another reason than its type is what was meant. */
function nearestBranch(branches: Issue[][]): Issue[] | undefined {
  return branches.find((issues) => issues.every((issue) => !isOfOtherType(issue))) ?? branches[0]
}

function isOfOtherType(issue: Issue): boolean {
  return issue.code === 'invalid_type' && issue.path.length === 0
}

function messageOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_type') return undefined
  if (issue.input === undefined) return 'is required'
  return `must be ${nameOfType[issue.expected] ?? issue.expected}`
}

const nameOfType: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
}

/**
 * Answers are built by our own code from typed values: checking each again costs more than the
 * rest of a request, so that only tests do it (`checkResponses`).
 */
export const uncheckedSerializer: FastifySerializerCompiler<unknown> = () => (value) =>
  JSON.stringify(value)

/** Fails with 500 where an answer is not what its schema says. For tests. */
export const checkedSerializer: FastifySerializerCompiler<z.ZodType> =
  ({ schema }) =>
  (value) =>
    JSON.stringify(schema.parse(value))
