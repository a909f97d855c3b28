import type { FastifyRequest } from 'fastify'

/** A host with its port and path, as clients are told it: without a scheme. */
export const publicHostForm = /^[A-Za-z0-9.[\]:-]+(\/[A-Za-z0-9._/-]*)?$/

/** By which host clients reach us: the configured one, else the one that this request named. */
export function publicHostOf(request: FastifyRequest, configured: string | null): string {
  return configured ?? (publicHostForm.test(request.host) ? request.host : '')
}
