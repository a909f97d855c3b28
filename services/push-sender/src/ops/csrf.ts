import { createHmac, timingSafeEqual } from 'node:crypto'
import { ProblemError } from '@pushkeep/runtime'
import type { FastifyRequest } from 'fastify'

/** What a page has to send with each change: follows from the session's secret, and does not tell it. */
export function csrfTokenOf(sessionSecret: string): string {
  return createHmac('sha256', sessionSecret).update('pushkeep csrf').digest('base64url')
}

/** Refuses a request that another site may have made a browser send. */
export function refuseForeignOrigin(request: FastifyRequest): void {
  const { origin, 'sec-fetch-site': site } = request.headers
  const isOwn = hostOf(origin) === request.host && (site === undefined || site === 'same-origin')
  if (isOwn) return
  throw new ProblemError(403, 'foreign_origin', {
    detail: 'changes are taken from the console’s own pages alone',
  })
}

/** Refuses a change that does not come from a page of this session. */
export function refuseForgery(request: FastifyRequest, sessionSecret: string): void {
  refuseForeignOrigin(request)
  const sent = Buffer.from(String(request.headers['x-xsrf-token'] ?? ''))
  const expected = Buffer.from(csrfTokenOf(sessionSecret))
  if (sent.length === expected.length && timingSafeEqual(sent, expected)) return
  throw new ProblemError(403, 'csrf_token', {
    detail: 'the page’s token is missing or of another session: load the page again',
  })
}

function hostOf(origin: string | undefined): string | null {
  return origin !== undefined && URL.canParse(origin) ? new URL(origin).host : null
}
