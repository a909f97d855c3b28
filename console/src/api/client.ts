import type { ProblemBody } from '@pushkeep/console-api'

/** An answer that is none: the server's problem, or that there was no answer. */
export class ApiError extends Error {
  /** 0: no answer came. */
  readonly status: number
  readonly code: string
  /** What is wrong, by field of the request. */
  readonly fields: Record<string, string>

  constructor(status: number, code: string, detail: string, fields: Record<string, string> = {}) {
    super(detail)
    this.name = 'ApiError'
    this.status = status
    this.code = code
    this.fields = fields
  }
}

let csrfToken = ''
let onSignedOut = () => {}

/** What goes with each change; the session tells it. */
export function setCsrfToken(token: string): void {
  csrfToken = token
}

/** Called when an answer says that nobody is signed in any more. */
export function whenSignedOut(callback: () => void): void {
  onSignedOut = callback
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/**
 * Calls the console's server. The answer is of the shape that its route declares there: both are
 * one release. Throws an `ApiError`.
 */
export async function call<Answer>(method: Method, path: string, body?: object): Promise<Answer> {
  const response = await send(method, path, body)
  if (response.ok) return response.status === 204 ? (null as Answer) : await response.json()
  const error = await errorOf(response)
  if (error.code === 'signed_out') onSignedOut()
  throw error
}

async function send(method: Method, path: string, body: object | undefined): Promise<Response> {
  try {
    return await fetch(`/ops/api/${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(method === 'GET' ? {} : { 'x-xsrf-token': csrfToken }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
      credentials: 'same-origin',
    })
  } catch {
    throw new ApiError(0, 'unreachable', 'The server cannot be reached.')
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const problem: Partial<ProblemBody> = await response.json().catch(() => ({}))
  const { code = 'unknown', detail, title, errors = [] } = problem
  const fields = Object.fromEntries(errors.map(({ path, message }) => [path, message]))
  return new ApiError(
    response.status,
    code,
    detail ?? title ?? `The server answered ${response.status}.`,
    fields,
  )
}
