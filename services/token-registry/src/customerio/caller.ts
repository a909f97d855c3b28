import { type Caller, callerOf } from '@pushkeep/runtime'
import type { FastifyRequest } from 'fastify'
import type { OpenGate } from '../identity/gate.ts'
import { writeLimitsOf } from '../write-limits.ts'
import type { Call } from './perform.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The app that a request names: the user part of Basic (`site_id`), where it is the id of an app.
 * Whatever else stands there, such as the site id of Customer.io, names none.
 */
export function siteOf(authorization: string | undefined): string | undefined {
  const [, value] = /^basic +(.+)$/i.exec(authorization ?? '') ?? []
  const [user = ''] = Buffer.from(value ?? '', 'base64')
    .toString('utf8')
    .split(':')
  return uuid.test(user) ? user.toLowerCase() : undefined
}

/** Who makes a request of a dialect. The caller has been admitted before. */
export async function callOf(request: FastifyRequest, openGate: OpenGate): Promise<Call> {
  const caller: Caller = callerOf(request)
  const appId = siteOf(request.headers.authorization)
  const gate = await openGate(caller, request.headers, null)
  const limits = writeLimitsOf(request, caller, gate)
  return { caller, appId, gate, headers: request.headers, log: request.log, limits }
}
