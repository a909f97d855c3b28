import {
  type Client,
  type ClientOptions,
  createClient,
  type DeviceFacts,
  type SdkError,
  type Store,
} from '../src/core/index.ts'
import { FakeServer } from './fake-server.ts'
import { ManualTime } from './time.ts'

/** A store in memory that outlives its clients. */
export function memoryStore(map = new Map<string, string>()): Store & { map: Map<string, string> } {
  return {
    map,
    getItem: async (key) => map.get(key) ?? null,
    setItem: async (key, value) => void map.set(key, value),
    removeItem: async (key) => void map.delete(key),
  }
}

export const phone: DeviceFacts = {
  platform: 'ios',
  environment: 'sandbox',
  attributes: { device_model: 'iPhone 15', push_enabled: true },
}

export interface Phone {
  client: Client
  server: FakeServer
  time: ManualTime
  store: Store & { map: Map<string, string> }
  errors: SdkError[]
  /** Ends the client without a word and starts another one on what it left. */
  relaunch(options?: Partial<ClientOptions>): void
}

let ids = 0

/** A client on a store in memory, a server in memory, and time that a test lets pass. */
export function newPhone(options: Partial<ClientOptions> = {}): Phone {
  const server = new FakeServer()
  const time = new ManualTime()
  server.now = time.now
  const store = memoryStore()
  const errors: SdkError[] = []
  const start = (more: Partial<ClientOptions> = {}) =>
    createClient({
      cdpApiKey: 'pk_test',
      apiHost: 'push.example.com',
      store,
      device: phone,
      onError: (error) => errors.push(error),
      engine: {
        fetch: server.fetch,
        now: time.now,
        setTimer: time.setTimer,
        clearTimer: time.clearTimer,
        random: () => 0.5,
        newId: () => `id-${++ids}`,
      },
      ...options,
      ...more,
    })
  const result: Phone = {
    client: start(),
    ...{ server, time, store, errors },
    relaunch(more) {
      // The old one's timers belong to a process that is gone.
      void result.client.close()
      result.client = start(more)
    },
  }
  return result
}

/** The newest item that was sent. */
export function lastSent({ server }: Phone) {
  return server.batches.flat().at(-1)
}

/** What was sent, as `type event userId|anonymous`. */
export function sent({ server }: Phone): string[] {
  return server.batches.flat().map((item) => {
    const name =
      item.type === 'track' ? ` ${item.event}` : item.type === 'screen' ? ` ${item.name}` : ''
    return `${item.type}${name} by ${item.userId ?? 'nobody'}`
  })
}
