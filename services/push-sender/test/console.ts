import type { Role } from '@pushkeep/domain'
import { createKey } from '@pushkeep/store'
import type { Sender, Tenant } from './sender.ts'

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'PATCH'

/** A browser that has signed in. */
export interface Browser {
  keyId: string
  key: string
  cookie: string
  csrf: string
  /** A request as the console's pages make it. */
  call(method: Method, url: string, body?: object): Promise<Answer>
  get(url: string): Promise<Answer>
}

type Answer = Awaited<ReturnType<typeof postSession>>

/** What a browser sends with a request of a page of ours. */
export const ownHeaders = { origin: 'http://localhost', host: 'localhost' }

/** The sign-in itself. */
export function postSession(sender: Sender, key: string, headers: Record<string, string> = {}) {
  return sender.app.inject({
    method: 'POST',
    url: '/ops/api/session',
    headers: { ...ownHeaders, ...headers },
    payload: { key },
  })
}

/** Signs in with a fresh key of a role, for one app of the tenant or for all. */
export async function openBrowser(
  sender: Sender,
  role: Role = 'admin',
  options: { tenant?: Tenant; appNo?: number; isInstallation?: boolean } = {},
): Promise<Browser> {
  const { tenant = sender.tenant, appNo = null, isInstallation = false } = options
  const { id: keyId, key } = await createKey(sender.database, {
    workspaceNo: tenant.workspaceNo,
    appNo,
    kind: 'secret',
    name: `${role} key`,
    role,
    isInstallation,
  })
  // An address of its own: failed tries are counted by address.
  const answer = await sender.app.inject({
    method: 'POST',
    url: '/ops/api/session',
    headers: ownHeaders,
    payload: { key },
    remoteAddress: `10.0.${Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}`,
  })
  if (answer.statusCode !== 200) throw new Error(`sign-in: ${answer.statusCode} ${answer.body}`)
  const [setCookie = ''] = [answer.headers['set-cookie'] ?? ''].flat()
  const [cookie = ''] = setCookie.split(';')
  const csrf: string = answer.json().csrf_token
  const call: Browser['call'] = (method, url, body) =>
    sender.app.inject({
      method,
      url,
      headers: { ...ownHeaders, cookie, 'x-xsrf-token': csrf },
      ...(body && { payload: body }),
    })
  return { keyId, key, cookie, csrf, call, get: (url) => call('GET', url) }
}
