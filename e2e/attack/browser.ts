import type { Answer } from './attempt.ts'
import type { World } from './world.ts'

/** A browser that is signed in to the console with a key. */
export interface Browser {
  get(path: string): Promise<Answer>
  send(method: string, path: string, body?: object): Promise<Answer>
  /** The status of a stream, and how to end it. */
  open(path: string): Promise<{ status: number; ended: Promise<void>; close: () => void }>
}

/** Signs in as the console's page does. */
export async function signIn({ local, call }: World, key: string): Promise<Browser> {
  const sender = local.sender_url
  const origin = { origin: sender }
  const answer = await call('POST', `${sender}/ops/api/session`, null, { key }, origin)
  if (answer.status !== 200) throw new Error(`signing in was answered ${answer.status}`)
  const [cookie = ''] = (answer.headers.get('set-cookie') ?? '').split(';')
  const csrf = String(JSON.parse(answer.text).csrf_token)
  const headers = { ...origin, cookie }
  return {
    get: (path) => call('GET', sender + path, null, undefined, headers),
    send: (method, path, body) =>
      call(method, sender + path, null, body, { ...headers, 'x-xsrf-token': csrf }),
    async open(path) {
      const ending = new AbortController()
      const response = await fetch(sender + path, { headers, signal: ending.signal })
      const ended = drain(response)
      return { status: response.status, ended, close: () => ending.abort() }
    },
  }
}

/** Resolves when a stream has ended, at either end. */
async function drain({ body }: Response): Promise<void> {
  const reader = body?.getReader()
  try {
    while (reader && !(await reader.read()).done);
  } catch {
    // It was cut off.
  }
}
