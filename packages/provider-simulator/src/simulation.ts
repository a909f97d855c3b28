import { createServer, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { ProviderTokens } from './apns/provider-token.ts'
import { ApnsService } from './apns/service.ts'
import { TokenBehaviours } from './behaviours.ts'
import type { KeyAndCertificate } from './certificates.ts'
import { Conduct } from './conduct.ts'
import {
  type ApnsFaults,
  apnsInHealth,
  type FaultsPatch,
  type FcmFaults,
  fcmInHealth,
} from './faults.ts'
import { AccessTokens } from './fcm/access-tokens.ts'
import { FcmService } from './fcm/service.ts'
import { Ledger } from './journal/ledger.ts'
import type { Connection } from './network/connection.ts'
import { Listener } from './network/listener.ts'
import { Traffic } from './network/traffic.ts'
import { APNS_STREAMS, FCM_STREAMS, JOURNAL_LIMIT, type SimulatorOptions } from './options.ts'
import type { ApnsEnvironment, CredentialRegistry } from './registry.ts'

/** What APNs puts into a GOAWAY. */
const APNS_GOODBYE = Buffer.from('{"reason":"Shutdown"}')

/** What a simulation is made from. */
export interface SimulationParts {
  options: SimulatorOptions
  certificate: KeyAndCertificate
  /** Of an authority that nobody trusts. */
  untrusted: KeyAndCertificate
  registry: CredentialRegistry
  /** Known once FCM listens. */
  tokenUri: () => string
}

/** The two providers with everything that can be set, seen and reset about them. */
export class Simulation {
  readonly now: () => number
  readonly registry: CredentialRegistry
  readonly behaviours = new TokenBehaviours()
  readonly ledger: Ledger
  readonly traffic = { apns: new Traffic(), fcm: new Traffic() }
  readonly accessTokens: AccessTokens
  readonly listeners: { production: Listener; sandbox: Listener; fcm: Listener }
  readonly #parts: SimulationParts
  readonly #apns: Conduct<ApnsFaults>
  readonly #fcm: Conduct<FcmFaults>
  readonly #fcmService: FcmService
  #connections = 0

  constructor(parts: SimulationParts) {
    const { options, registry } = parts
    const seed = options.seed ?? 1
    this.now = options.now ?? Date.now
    this.#parts = parts
    this.registry = registry
    this.ledger = new Ledger(
      options.journal ?? 'full',
      options.journalLimit ?? JOURNAL_LIMIT,
      this.now,
    )
    this.accessTokens = new AccessTokens(registry, this.now)
    this.#apns = new Conduct(apnsInHealth(), this.behaviours, seed, this.now)
    this.#fcm = new Conduct(fcmInHealth(), this.behaviours, seed, this.now)
    this.#fcmService = this.#makeFcm()
    const tokens = new ProviderTokens(registry)
    this.listeners = {
      production: this.#apnsListener('production', tokens),
      sandbox: this.#apnsListener('sandbox', tokens),
      fcm: this.#fcmListener(),
    }
  }

  /** The faults as they stand. */
  get faults(): { apns: ApnsFaults; fcm: FcmFaults } {
    return { apns: this.#apns.faults, fcm: this.#fcm.faults }
  }

  /** Changes the faults that are named and leaves the others as they are. */
  setFaults(patch: FaultsPatch): void {
    if (patch.apns !== undefined) this.#apns.update(definedOnly(patch.apns))
    if (patch.fcm !== undefined) this.#fcm.update(definedOnly(patch.fcm))
    this.#applyFaults()
  }

  /** Ends all faults. */
  heal(): void {
    this.#apns.heal()
    this.#fcm.heal()
    this.#applyFaults()
  }

  /** Sends a graceful GOAWAY on every connection of a provider; the number of them. */
  goaway(provider: 'apns' | 'fcm'): number {
    const { production, sandbox, fcm } = this.listeners
    return provider === 'fcm' ? fcm.goawayAll() : production.goawayAll() + sandbox.goawayAll()
  }

  /** Everything as after the start, but for credentials and connections. */
  reset(): void {
    this.behaviours.clear()
    this.heal()
    this.ledger.forget()
    this.ledger.clearAnswers()
    this.traffic.apns.clear()
    this.traffic.fcm.clear()
    this.accessTokens.issued = 0
  }

  async close(): Promise<void> {
    this.ledger.close()
    await Promise.all(Object.values(this.listeners).map((listener) => listener.close()))
  }

  #applyFaults(): void {
    this.#fcmService.reset()
    for (const listener of Object.values(this.listeners)) listener.applyFaults()
  }

  #apnsListener(environment: ApnsEnvironment, tokens: ProviderTokens): Listener {
    const { registry, now, ledger } = this
    const service = new ApnsService({
      ...{ environment, registry, tokens, ledger, now },
      conduct: this.#apns,
      warm: (connection) => listener.warm(connection),
    })
    const listener = new Listener({
      ...this.#listenerParts('apns'),
      maxStreams: this.#parts.options.maxConcurrentStreams ?? APNS_STREAMS,
      startsCold: () => this.#apns.faults.cold_start,
      goawayPayload: APNS_GOODBYE,
      open: (connection) => service.open(connection),
    })
    return listener
  }

  #makeFcm(): FcmService {
    const { registry, accessTokens, ledger, now } = this
    const { tokenUri } = this.#parts
    return new FcmService({ registry, accessTokens, ledger, now, tokenUri, conduct: this.#fcm })
  }

  #fcmListener(): Listener {
    const service = this.#fcmService
    const speakers = new WeakMap<Duplex, Connection>()
    const http1: Server = createServer((request, response) => {
      const connection = speakers.get(request.socket)
      if (connection !== undefined) service.take(connection, request, response)
    })
    return new Listener({
      ...this.#listenerParts('fcm'),
      maxStreams: this.#parts.options.fcmMaxConcurrentStreams ?? FCM_STREAMS,
      startsCold: () => false,
      open: (connection) => service.open(connection),
      openHttp1: (connection) => {
        speakers.set(connection.socket, connection)
        http1.emit('connection', connection.socket)
      },
    })
  }

  #listenerParts(provider: 'apns' | 'fcm') {
    return {
      certificate: this.#parts.certificate,
      untrusted: this.#parts.untrusted,
      faults: this.faults[provider],
      traffic: this.traffic[provider],
      nextConnectionId: () => {
        this.#connections += 1
        return this.#connections
      },
    }
  }
}

/** A key that is there without a value would overwrite the fault that stands. */
function definedOnly<T extends object>(
  patch: {
    [K in keyof T]?: T[K] | undefined
  },
): Partial<T> {
  const kept: Partial<T> = {}
  for (const key in patch) {
    const value = patch[key]
    if (value !== undefined) kept[key] = value
  }
  return kept
}
