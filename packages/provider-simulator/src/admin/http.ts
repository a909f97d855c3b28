import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'

const BODY_BYTES_MAX = 64 * 1024 * 1024

/** An answer of the admin API. */
export interface AdminAnswer {
  status: number
  body?: unknown
  contentType?: string
}

/** One field of a request that cannot be taken. */
export interface Issue {
  field: string
  message: string
}

/** A request that gets an error instead of an answer. */
export class AdminProblem extends Error {
  readonly status: number
  readonly issues: Issue[]

  constructor(status: number, message: string, issues: Issue[] = []) {
    super(message)
    this.status = status
    this.issues = issues
  }
}

/** Checks a body or query; what is wrong is named by its field. */
export function valid<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issues = result.error.issues.flatMap((issue) => {
    // A name that does not belong is the field itself, not the object that it stands in.
    const names = issue.code === 'unrecognized_keys' ? issue.keys : [null]
    return names.map((name) => ({
      field: [...issue.path, ...(name === null ? [] : [name])].join('.'),
      message: issue.message,
    }))
  })
  throw new AdminProblem(400, 'The request has invalid fields', issues)
}

/** The request's JSON body; undefined where there is none. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) throw new AdminProblem(413, 'The body is larger than 64 MiB')
    chunks.push(chunk)
  }
  if (bytes === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    const message = 'must be JSON'
    throw new AdminProblem(400, 'The body is not JSON', [{ field: 'body', message }])
  }
}

/** Sends an answer as JSON, or as what it says it is. */
export function send(response: ServerResponse, answer: AdminAnswer): void {
  if (response.destroyed) return
  const { body, contentType } = answer
  if (body === undefined) {
    response.writeHead(answer.status).end()
    return
  }
  const text = contentType === undefined ? `${JSON.stringify(body)}\n` : String(body)
  response
    .writeHead(answer.status, {
      'content-type': contentType ?? 'application/json',
      'content-length': Buffer.byteLength(text),
    })
    .end(text)
}

/** What a failed request is told. */
export function problemAnswer(cause: unknown): AdminAnswer {
  if (!(cause instanceof AdminProblem)) {
    return { status: 500, body: { error: 'The simulator failed on this request' } }
  }
  const issues = cause.issues.length > 0 ? { issues: cause.issues } : {}
  return { status: cause.status, body: { error: cause.message, ...issues } }
}

export const Whole = z.coerce.number().int().nonnegative()
