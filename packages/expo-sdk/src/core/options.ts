import type { DeviceFacts } from './calls.ts'
import type { Engine } from './engine.ts'
import type { OnError } from './errors.ts'
import type { Store } from './store.ts'
import type { IdentityTokenProvider } from './vouchers.ts'

/** What a client is made with. */
export interface ClientOptions {
  /** The app's public key, `pk_…`. */
  cdpApiKey: string
  /** The token registry: `push.example.com`, or a URL. Without a scheme it is https. */
  apiHost: string
  /** Where the queue and the person are kept. One client at a time uses it under one prefix. */
  store: Store
  /** Before each key in the store; `pushkeep` if left out. */
  storePrefix?: string
  /** What runs the app; needed to register a token. */
  device?: DeviceFacts
  /** Gets the identity token of a person, where the app requires them. */
  identityToken?: IdentityTokenProvider
  /** Told what went wrong. Throws and rejections of its own are ignored. */
  onError?: OnError
  /** Events that wait until a batch is sent at once; 20. */
  flushAt?: number
  /** Seconds until fewer are sent; 30. Calls about people and devices go within a second. */
  flushInterval?: number
  /** Most calls that wait; 1000. They also take no more than 2 MB. */
  queueMax?: number
  /** Seconds to wait for an answer; 15. */
  requestTimeout?: number
  /**
   * What tells this phone from every other one. Where the store came along from another phone's
   * backup, the installation is a new one. Never sent.
   */
  phoneMark?: string | null
  /** How the client names itself. */
  library?: { name: string; version: string }
  /** `fetch`, clock, timers and randomness in place of the engine's own. */
  engine?: Partial<Engine>
}
