import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

// Over https a name that only this host can set, for all of it: a cookie of a sibling's making is
// not taken for ours. Browsers refuse such a cookie over http.
const overHttps = { name: '__Host-pushkeep', path: '/', secure: true }
const overHttp = { name: 'pushkeep', path: '/ops', secure: false }

/**
 * Whether the browser speaks https: with us, or with a proxy that says so. A client that says so
 * wrongly gets a cookie that its browser does not keep.
 */
function isOverHttps(request: FastifyRequest): boolean {
  const forwarded = request.headers['x-forwarded-proto']
  return request.protocol === 'https' || forwarded === 'https'
}

function cookieOf(request: FastifyRequest) {
  return isOverHttps(request) ? overHttps : overHttp
}

/** The session's secret that a browser sent, or null. */
export function sessionSecretOf(request: FastifyRequest): string | null {
  const { cookie } = request.headers
  return (cookie && parseCookie(cookie)[cookieOf(request).name]) || null
}

/** Gives a browser its session. No `Max-Age`: it ends with the browser, or before. */
export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  secret: string,
): void {
  const own = cookieOf(request)
  const cookie = { ...own, value: secret, httpOnly: true, sameSite: 'strict' } as const
  reply.header('set-cookie', stringifySetCookie(cookie))
}

/** Takes the session from a browser. */
export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  const own = cookieOf(request)
  const cookie = { ...own, value: '', httpOnly: true, sameSite: 'strict', maxAge: 0 } as const
  reply.header('set-cookie', stringifySetCookie(cookie))
}

/**
 * The token of the session, readable by the scripts of the queue dashboard alone, which send it as
 * `X-XSRF-Token` with each change.
 */
export function csrfCookie(request: FastifyRequest, token: string): string {
  return stringifySetCookie({
    name: 'XSRF-TOKEN',
    value: token,
    path: '/ops/queues',
    secure: isOverHttps(request),
    sameSite: 'strict',
  })
}
