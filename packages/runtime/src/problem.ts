import { STATUS_CODES } from 'node:http'
import { z } from 'zod'

/** A field that is wrong, with its path inside the request. */
export const FieldError = z.object({ path: z.string(), message: z.string() })
export type FieldError = z.infer<typeof FieldError>

/** The body of every error: RFC 9457, with a `code` for programs and the fields that are wrong. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.string().describe('Stable, for programs'),
    errors: z.array(FieldError).optional().describe('Each field that is wrong'),
    'violated-policies': z
      .array(z.string())
      .optional()
      .describe('Of a 429: the limits that were reached, as `RateLimit-Policy` names them'),
  })
  .meta({ id: 'Problem' })
export type Problem = z.infer<typeof Problem>

export interface ProblemDetails {
  detail?: string
  errors?: FieldError[]
  headers?: Record<string, string>
  /** The limits that were reached. */
  violated?: string[]
}

/** The problem type of draft-ietf-httpapi-ratelimit-headers. */
const quotaExceeded = 'https://iana.org/assignments/http-problem-types#quota-exceeded'

/** Thrown by a route to answer with a problem. */
export class ProblemError extends Error {
  readonly statusCode: number
  readonly problem: Problem
  readonly headers: Record<string, string>

  constructor(status: number, code: string, details: ProblemDetails = {}) {
    super(code)
    this.name = 'ProblemError'
    this.statusCode = status
    this.headers = details.headers ?? {}
    this.problem = {
      type: details.violated === undefined ? 'about:blank' : quotaExceeded,
      title: STATUS_CODES[status] ?? 'Error',
      status,
      ...(details.detail === undefined ? {} : { detail: details.detail }),
      code,
      ...(details.errors === undefined ? {} : { errors: details.errors }),
      ...(details.violated === undefined ? {} : { 'violated-policies': details.violated }),
    }
  }
}

/** 422: fields that are wrong. */
export function invalid(errors: FieldError[]): ProblemError {
  return new ProblemError(422, 'invalid', { detail: describe(errors), errors })
}

function describe(errors: FieldError[]): string {
  return errors.map(({ path, message }) => `${path} ${message}`).join('; ')
}

/** 404: the thing that a route names does not exist. */
export function notFound(code: string, detail: string): ProblemError {
  return new ProblemError(404, code, { detail })
}

/** 409: the request conflicts with what is there. */
export function conflict(code: string, detail: string): ProblemError {
  return new ProblemError(409, code, { detail })
}

/** 503: not now; the caller should come back. */
export function unavailable(code: string, detail: string, afterSeconds = 1): ProblemError {
  return new ProblemError(503, code, { detail, headers: { 'retry-after': String(afterSeconds) } })
}

interface ProblemResponse {
  description: string
  headers?: Record<string, { description: string; schema: { type: string } }>
  content: { 'application/problem+json': { schema: typeof Problem } }
}

const limitHeaders = {
  'Retry-After': { description: 'Seconds until a call passes again', schema: { type: 'integer' } },
  RateLimit: {
    description: 'What is left of the limit (`r`), and when (`t`, seconds) a call passes again',
    schema: { type: 'string' },
  },
  'RateLimit-Policy': {
    description: 'The limit that was reached: its quota (`q`) and window (`w`, seconds)',
    schema: { type: 'string' },
  },
}

/** The error answers of a route, for its OpenAPI description. */
export function problemResponses<Status extends number>(
  ...statuses: Status[]
): Record<Status, ProblemResponse> {
  const entries = statuses.map((status): [number, ProblemResponse] => [
    status,
    {
      description: STATUS_CODES[status] ?? 'Error',
      ...(status === 429 ? { headers: limitHeaders } : {}),
      content: { 'application/problem+json': { schema: Problem } },
    },
  ])
  return Object.fromEntries(entries) as Record<Status, ProblemResponse>
}
