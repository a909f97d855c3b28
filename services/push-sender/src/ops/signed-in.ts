import { ProblemError, type SignedIn } from '@pushkeep/runtime'
import { findSession, type Sql } from '@pushkeep/store'
import type { FastifyRequest } from 'fastify'
import { sessionSecretOf } from './cookies.ts'
import { refuseForgery } from './csrf.ts'

/**
 * Finds the key that a browser has signed in with. Read from the database each time: a session is as
 * good in every process, and ends with its key at once. Whoever opens a page is led to the sign-in.
 */
export function createSignedIn(sql: Sql): SignedIn {
  return async (request) => {
    const isChange = request.method !== 'GET' && request.method !== 'HEAD'
    const secret = sessionSecretOf(request)
    const session = secret === null ? null : await findSession(sql, secret)
    if (secret === null || !session) {
      if (!isChange && isForPeople(request)) throw toSignIn(request)
      return null
    }
    if (isChange) refuseForgery(request, secret)
    return session.owner
  }
}

/** Whether a browser wants to show the answer as a page. */
function isForPeople(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/html') ?? false
}

function toSignIn(request: FastifyRequest): ProblemError {
  const [path = ''] = request.url.split('?')
  const location = `/ops/sign-in?next=${encodeURIComponent(path)}`
  return new ProblemError(303, 'signed_out', { headers: { location } })
}
