import type { Answer } from './answer.ts'
import type { Case } from './case.ts'
import type { Reply } from './client.ts'
import type { Operation, Schema } from './documents.ts'
import { violation } from './schema-check.ts'

/** Longest time that any request may take, in milliseconds. */
export const slowMs = 2000

/** Names and values come from the caller: an error must not grow with them. */
const problemBytesMax = 16_384

/** What an error must never show: where in our code, which statement, which server. */
const insides: [what: string, pattern: RegExp][] = [
  ['a stack trace', /\bat [^\n"]*:\d+:\d+|node_modules|node:internal|\.ts\b/],
  [
    'SQL',
    /\b(select|insert into|delete from)\b.*\b(from|values|where)\b|violates|pg_|\bSQLSTATE\b/i,
  ],
  ['a server of ours', /postgres(ql)?:|redis:|ECONN|127\.0\.0\.1|localhost/i],
]

export interface Judge {
  /** The shape of an error. */
  problem: Schema
  /** Tokens and keys: no error may repeat one. */
  secrets: readonly string[]
}

/** What is wrong with the way a request was answered, in words. */
export function faultsOf(one: Case, reply: Reply, judge: Judge): string[] {
  if (reply.kind === 'silent') return ['no answer at all']
  const { expected } = one
  if (reply.kind === 'closed' && expected.kind === 'refused' && expected.mayClose) return []
  if (reply.kind === 'closed') return ['the connection was closed without an answer']
  if (reply.kind === 'nonsense') return ['what came is not one HTTP answer']
  const { answer } = reply
  const slow = reply.ms > slowMs ? [`took ${Math.round(reply.ms)} ms`] : []
  return [...slow, ...statusFaults(one, answer), ...bodyFaults(one, answer, judge)]
}

function statusFaults({ expected, operation }: Case, { status, body }: Answer): string[] {
  if (status >= 500) return [`answered ${status}`]
  const isTaken = status >= 200 && status < 300
  switch (expected.kind) {
    case 'either':
      return []
    case 'taken': {
      // What a request names may have been deleted by one before it, or may be past that.
      const isAboutOne = operation.path.includes('{') && (status === 404 || status === 409)
      const mayBeLate = isAboutOne && Object.hasOwn(operation.responses, status)
      if (isTaken || mayBeLate) return []
      return [`a valid request was answered ${status}: ${body.toString('utf8').slice(0, 200)}`]
    }
    case 'refused':
      if (isTaken) return [`a bad request was answered ${status}`]
      if (expected.statuses.includes(status)) return []
      return [`answered ${status} instead of ${expected.statuses.join(' or ')}`]
  }
}

function bodyFaults(one: Case, answer: Answer, judge: Judge): string[] {
  const { operation, reachesRoute } = one
  const { status, headers, body } = answer
  const declared = operation.responses[status]
  if (!declared && reachesRoute) return [`${status} is not in the document`]
  const types = declared ?? { 'application/problem+json': judge.problem }
  if (Object.keys(types).length === 0)
    return body.length > 0 ? ['a body that is not in the document'] : []
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
  const schema = types[type]
  if (!schema) return [`content type "${type}" is not in the document`]
  const value = parse(body)
  if (value === undefined) return ['a body that is no JSON']
  const found = violation(schema, value, operation.resolve)
  const shape = found ? [`an answer unlike its schema: ${found}`] : []
  return status < 400 ? shape : [...shape, ...problemFaults(one, value, answer, judge)]
}

function problemFaults(
  one: Case,
  value: unknown,
  { status, body }: Answer,
  { secrets }: Judge,
): string[] {
  const text = body.toString('utf8')
  const shown = insides.filter(([, pattern]) => pattern.test(text)).map(([what]) => `shows ${what}`)
  const told = secrets.some((secret) => text.includes(secret)) ? ['repeats a token or key'] : []
  const large = body.length > problemBytesMax ? [`an error of ${body.length} bytes`] : []
  // What is not there has no field.
  const places = status === 404 ? [] : pathFaults(one, value)
  return [...shown, ...told, ...large, ...places]
}

/** Where a field is at fault the error has to name it, or what is inside it. */
function pathFaults({ expected }: Case, value: unknown): string[] {
  if (expected.kind !== 'refused' || !expected.at) return []
  const { at } = expected
  const named = pathsIn(value)
  const isNamed = named.some((path) =>
    at.some((place) => path === place || path.startsWith(`${place}.`)),
  )
  return isNamed ? [] : [`names ${named.join(', ') || 'no field'} instead of ${at.join(' or ')}`]
}

function pathsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null || !('errors' in value)) return []
  const { errors } = value
  if (!Array.isArray(errors)) return []
  return errors.map((error: { path?: unknown }) => String(error.path))
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

/** The shape of an error, as the documents say it. */
export function problemSchema(operations: readonly Operation[]): Schema {
  for (const { responses, resolve } of operations) {
    for (const types of Object.values(responses)) {
      const schema = types['application/problem+json']
      if (schema) return resolve(schema)
    }
  }
  throw new Error('no operation describes its errors')
}
