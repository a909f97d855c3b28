import { randomBytes } from 'node:crypto'
import { createLimiter, createLogger, noRates } from '@pushkeep/runtime'
import { createApp, createKey, createWorkspace } from '@pushkeep/store'
import { createTestDatabase } from '@pushkeep/testkit'
import { buildApp } from '@pushkeep/token-registry'
import {
  type ClientOptions,
  createClient,
  type DeviceFacts,
  type SdkError,
} from '../../src/core/index.ts'
import { memoryStore } from '../harness.ts'
import { startNetwork } from './tcp-proxy.ts'

export const newToken = () => randomBytes(32).toString('hex')

export const iphone: DeviceFacts = {
  platform: 'ios',
  environment: 'sandbox',
  attributes: {
    device_os: 'iOS 17.4',
    device_model: 'iPhone 15 Pro',
    app_version: '2.1.0',
    cio_sdk_version: '0.1.0',
    device_locale: 'es-MX',
    push_enabled: 'true',
  },
}

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where it is not
type Body = any

/** A registry that listens, on a database of its own, behind a network that a test can disturb. */
export async function startRegistry() {
  const testDatabase = await createTestDatabase()
  const { database } = testDatabase
  const logger = createLogger({ name: 'test', level: 'silent' })
  const app = buildApp({
    database,
    logger,
    checkResponses: true,
    // The phones here make calls of days in seconds.
    limiter: createLimiter({ rates: noRates }),
  })
  const { workspaceNo } = await createWorkspace(database, 'test')
  const { appNo, id: appId } = await createApp(database, workspaceNo, 'test')
  const name = 'test'
  const secret = await createKey(database, { workspaceNo, appNo: null, kind: 'secret', name })
  const open = await createKey(database, { workspaceNo, appNo, kind: 'public', name })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const network = await startNetwork(Number(new URL(url).port))

  async function get(path: string): Promise<Body> {
    const headers = { authorization: `Bearer ${secret.key}` }
    const response = await fetch(url + path, { headers })
    return response.status === 200 ? response.json() : null
  }

  return {
    ...{ database, appNo, appId, url, network },
    publicKey: open.key,
    person: (id: string) => get(`/v1/people/${encodeURIComponent(id)}`),
    device: (token: string) => get(`/v1/devices/${token}`),
    /** Names of a person's events, the first first. */
    async events(id: string): Promise<string[]> {
      const page = await get(`/v1/people/${encodeURIComponent(id)}/events?limit=100`)
      return (page?.events ?? []).map((event: Body) => event.name).reverse()
    },
    async timeline(token: string): Promise<string[]> {
      const page = await get(`/v1/devices/${token}/timeline?limit=100`)
      return (page?.events ?? []).map((event: Body) => event.kind).reverse()
    },
    [Symbol.asyncDispose]: async () => {
      await network[Symbol.asyncDispose]()
      await app.close()
      await testDatabase[Symbol.asyncDispose]()
    },
  }
}

export type Registry = Awaited<ReturnType<typeof startRegistry>>

/** A phone on the registry's network. Retries come fast, so that a test does not wait. */
export function newPhone(registry: Registry, options: Partial<ClientOptions> = {}) {
  const errors: SdkError[] = []
  const store = memoryStore()
  const start = (more: Partial<ClientOptions> = {}) =>
    createClient({
      cdpApiKey: registry.publicKey,
      apiHost: registry.network.url,
      store,
      device: iphone,
      requestTimeout: 100,
      onError: (error) => errors.push(error),
      engine: { setTimer: (work, ms) => setTimeout(work, ms / 20) },
      ...options,
      ...more,
    })
  const phone = {
    client: start(),
    errors,
    store,
    /** The app is ended and started again. */
    async relaunch(more: Partial<ClientOptions> = {}) {
      await phone.client.close()
      phone.client = start(more)
    },
  }
  return phone
}
