import { createHash } from 'node:crypto'
import type { Local } from '@pushkeep/local-runner'

/** A phone of the demonstration. */
export interface Phone {
  person: string
  token: string
  platform: 'ios' | 'android'
}

const models = [
  ['ios', 'iPhone 16', '18.4'],
  ['android', 'Pixel 9', '16'],
  ['ios', 'iPhone 13 mini', '17.7'],
  ['android', 'Galaxy S25', '15'],
  ['ios', 'iPad Air', '18.4'],
  ['android', 'Fairphone 5', '14'],
] as const

const names = ['ana', 'bert', 'chiara', 'dana', 'emil', 'fatma', 'goran', 'hanna', 'ivo', 'jana']

/** An installation with people and messages in it, made over HTTP as backends and phones would. */
export function createDemo(local: Local) {
  async function call<Answer>(method: string, url: string, body?: unknown): Promise<Answer> {
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${local.secret_key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${url}: ${response.status}`)
    const text = await response.text()
    return text === '' ? (null as Answer) : JSON.parse(text)
  }
  const registry = <Answer>(method: string, path: string, body?: unknown) =>
    call<Answer>(method, local.registry_url + path, body)
  const sender = <Answer>(method: string, path: string, body?: unknown) =>
    call<Answer>(method, local.sender_url + path, body)
  const simulator = <Answer>(method: string, path: string, body?: unknown) =>
    call<Answer>(method, local.simulator_url + path, body)

  return {
    registry,
    sender,
    simulator,

    /** Registers so many phones, of people with names; the same ones for the same number. */
    async register(count: number): Promise<Phone[]> {
      const phones = Array.from({ length: count }, (_, index) => phoneOf(index))
      await inParallel(phones, 16, async (phone, index) => {
        const [, model, os] = models[index % models.length] ?? models[0]
        const id = encodeURIComponent(phone.person)
        await registry('PUT', `/v1/people/${id}`, { attributes: attributesOf(index) })
        await registry('PUT', `/v1/people/${id}/devices`, {
          device: {
            id: phone.token,
            platform: phone.platform,
            attributes: {
              device_model: model,
              device_os: os,
              app_version: index % 4 === 0 ? '5.2.1' : '5.3.0',
              ...(index % 9 === 4 ? { push_enabled: 'false' } : {}),
            },
          },
        })
      })
      return phones
    },

    /** Makes the provider call these tokens dead from now on. */
    async kill(phones: readonly Phone[]): Promise<void> {
      // A little ahead: a notice of death counts only if it is later than the registration.
      const behaviour = { kind: 'unregistered', since: Date.now() + 1000 }
      await simulator(
        'PUT',
        '/tokens',
        phones.map(({ token }) => ({ token, behaviour })),
      )
    },

    /** Sends a message and returns its id. */
    async send(to: object, content: object): Promise<string> {
      return (await sender<{ id: string }>('POST', '/v1/messages', { to, content })).id
    },

    /** Waits until nothing of a message is pending. */
    async done(id: string, timeoutMs = 60_000): Promise<void> {
      const deadline = performance.now() + timeoutMs
      while (performance.now() < deadline) {
        const { state } = await sender<{ state: string }>('GET', `/v1/messages/${id}`)
        if (state === 'done') return
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      throw new Error(`message ${id} was not done in time`)
    },

    /** Reports what phones saw of a message: most had it, some opened it. */
    async receipts(messageId: string, phones: readonly Phone[]): Promise<void> {
      const receipts = phones.map(({ token }, index) => ({
        message_id: messageId,
        token,
        event: index % 3 === 0 ? 'opened' : 'delivered',
      }))
      for (let from = 0; from < receipts.length; from += 100) {
        await registry('POST', '/v1/receipts', { receipts: receipts.slice(from, from + 100) })
      }
    },
  }
}

export type Demo = ReturnType<typeof createDemo>

function phoneOf(index: number): Phone {
  const [platform] = models[index % models.length] ?? models[0]
  const hash = (text: string) => createHash('sha256').update(`${text} ${index}`).digest()
  const token =
    platform === 'ios'
      ? hash('token').toString('hex')
      : `${hash('instance').toString('base64url').slice(0, 15)}:APA91b${hash('token').toString('base64url')}${hash('more').toString('base64url')}`
  const name = names[index % names.length] ?? 'ana'
  const round = Math.floor(index / names.length)
  return { person: round === 0 ? name : `${name}-${round}`, token, platform }
}

function attributesOf(index: number): object {
  const name = names[index % names.length] ?? 'ana'
  return {
    first_name: name.charAt(0).toUpperCase() + name.slice(1),
    plan: { name: index % 5 === 0 ? 'pro' : 'basic', seats: (index % 7) + 1 },
    city: ['Oslo', 'Wien', 'Torino', 'Split'][index % 4],
  }
}

/** Runs `work` over `items`, a bounded number at a time. */
async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const rest = items.entries()
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const [index, item] of rest) await work(item, index)
    }),
  )
}
