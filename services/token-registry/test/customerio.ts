import { createRegistry } from './registry.ts'

export interface Asked {
  /** `site:key` of Basic; null: no key. */
  basic?: string | null
  headers?: Record<string, string>
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'

/** The registry as clients of Customer.io see it, and natively what they left there. */
export async function createCustomerio(options: Parameters<typeof createRegistry>[0] = {}) {
  const registry = await createRegistry(options)
  const { call } = registry

  function basic(pair: string | null): Record<string, string> {
    return pair === null ? {} : { authorization: `Basic ${btoa(pair)}` }
  }

  /** As a server calls the Track API: the secret key as password. */
  function track(method: Method, path: string, body?: object | string, asked: Asked = {}) {
    const { basic: pair = `site:${registry.secretKey}`, headers = {} } = asked
    return call(method, path, body, { key: null, headers: { ...basic(pair), ...headers } })
  }

  /** As an app calls the Pipelines API: the public key as user, and no password. */
  function pipelines(path: string, body?: object | string | Buffer, asked: Asked = {}) {
    const { basic: pair = `${registry.publicKey}:`, headers = {} } = asked
    return call('POST', path, body, { key: null, headers: { ...basic(pair), ...headers } })
  }

  return {
    ...registry,
    track,
    pipelines,
    /** A batch as SDKs of servers send it; every item gets an id of its own unless it has one. */
    batch: (items: object[], asked?: Asked) =>
      pipelines(
        '/v1/batch',
        { batch: items.map((item) => ({ messageId: crypto.randomUUID(), ...item })) },
        asked,
      ),
    async person(id: string) {
      const { status, body } = await call('GET', `/v1/people/${encodeURIComponent(id)}`)
      return status === 200 ? body : null
    },
    async device(token: string) {
      const { status, body } = await call('GET', `/v1/devices/${encodeURIComponent(token)}`)
      return status === 200 ? body : null
    },
    /** The oldest first; null where there is no such person. */
    async events(id: string) {
      const url = `/v1/people/${encodeURIComponent(id)}/events?limit=100`
      const { status, body } = await call('GET', url)
      return status === 200 ? body.events.toReversed() : null
    },
    async eventNames(id: string): Promise<string[] | null> {
      const events = await this.events(id)
      return events?.map((event: { name: string }) => event.name) ?? null
    },
  }
}

export type Customerio = Awaited<ReturnType<typeof createCustomerio>>

export const taken = { status: 200, body: {} }
