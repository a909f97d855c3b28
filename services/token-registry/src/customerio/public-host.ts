import type { FastifyRequest } from 'fastify'

/** A host with its port and path, as clients are told it: without a scheme. */
export const publicHostForm = /^[A-Za-z0-9.[\]:-]+(\/[A-Za-z0-9._/-]*)?$/

/** By which host a backend reaches us: the configured one, else the one that its own request names. */
export function publicHostOf(request: FastifyRequest, configured: string | null): string {
  return configured ?? (publicHostForm.test(request.host) ? request.host : '')
}

/**
 * The host that apps may be told to send to; null: it is not known. A `Host` that the request names counts only
 * where it is an address of ours: a cache in front of us would hand another one to every phone.
 */
export function hostToTell(request: FastifyRequest, configured: string | null): string | null {
  if (configured !== null) return configured
  const name = request.hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const isOurs = loopbackNames.test(name) || name === localAddressOf(request)
  return isOurs && publicHostForm.test(request.host) ? request.host : null
}

const loopbackNames = /^(localhost|127(\.\d{1,3}){3}|::1)$/

/** The address of this machine that the request came to. */
function localAddressOf({ socket }: FastifyRequest): string | undefined {
  return socket.localAddress?.replace(/^::ffff:/, '')
}
