import type { Client } from './api.ts'
import { messageOf, personIdOf, textOf } from './arguments.ts'
import * as calls from './calls.ts'
import { readOwnDevice } from './device-state.ts'
import { type Engine, globalEngine } from './engine.ts'
import type { SdkError } from './errors.ts'
import { baseUrl } from './host.ts'
import { type Attributes, toJsonObject } from './json.ts'
import type { ClientOptions } from './options.ts'
import { createSender } from './sender.ts'
import { newInstallation } from './state.ts'
import { createTransport } from './transport.ts'
import { version } from './version.ts'
import { createVouchers } from './vouchers.ts'
import { type Change, createWriter } from './writer.ts'

/** How soon calls about people and devices are sent, in ms: an app makes several at a time. */
const soonMs = 500

const queueBytesMax = 2_000_000

/** A client on a store. What the store has from earlier launches is taken up at once. */
export function createClient(options: ClientOptions): Client {
  const { cdpApiKey, store, storePrefix: prefix = 'pushkeep', phoneMark = null } = options
  const { flushAt = 20, flushInterval = 30, queueMax = 1000, requestTimeout = 15 } = options
  const { library = { name: '@pushkeep/expo-sdk', version } } = options
  if (typeof cdpApiKey !== 'string' || cdpApiKey === '') {
    throw new TypeError('cdpApiKey must be the public key of the app')
  }
  const base = baseUrl(options.apiHost)
  const engine: Engine = { ...globalEngine(), ...options.engine }
  let facts = options.device ?? null
  let serverAheadMs = 0
  /** Whom and what this launch has told the server already. */
  let identifiedNow: string | null = null
  let isDeviceTold = false

  function onError(error: SdkError): void {
    try {
      options.onError?.(error)
    } catch {
      // The app's own.
    }
  }

  const writer = createWriter({
    ...{ store, prefix, engine, onError },
    limits: { items: queueMax, bytes: queueBytesMax },
    serverAheadMs: () => serverAheadMs,
    isHeld: (personId) => vouchers.isHeld(personId),
    isBeingSent: (item) => sender.isBeingSent(item),
  })
  const vouchers = createVouchers({
    provider: options.identityToken ?? null,
    state: writer.state,
    keep: (personId, token) => writer.change((state) => withToken(state, personId, token)),
    onProviderError(personId, cause) {
      const message = `no identity token could be had: ${messageOf(cause)}`
      onError({ kind: 'identity', message, code: 'provider_failed', personId })
    },
  })
  const transport = createTransport({
    ...{ base, writeKey: cdpApiKey, engine, library, timeoutMs: requestTimeout * 1000 },
    onServerTime(ms) {
      const ahead = ms - engine.now()
      // Less may be the way here and the header's seconds.
      serverAheadMs = Math.abs(ahead) > 60_000 ? ahead : 0
    },
  })
  const sender = createSender({
    ...{ engine, transport, vouchers, onError },
    queue: writer.queue,
    remove: writer.remove,
  })

  /** Stores what a call does, and sees to it that it is sent. */
  async function call(change: Change, isSoon: boolean): Promise<void> {
    await writer.change(change)
    const waiting = writer.queue().length
    if (waiting === 0) return
    sender.schedule(waiting >= flushAt ? 0 : isSoon ? soonMs : flushInterval * 1000)
  }

  /** A registration, of which the first of a launch is also the sign that the app is in use. */
  function registering(change: Change): Change {
    return (state) => {
      const effect = change(state)
      if (effect.items.length > 0) isDeviceTold = true
      return effect
    }
  }

  function identify(id: string, traits: Attributes, token: string | undefined): Promise<void> {
    const personId = personIdOf(id)
    const json = toJsonObject(traits, 'attributes')
    if (token !== undefined) textOf(token, 'identityToken')
    return call((state) => {
      vouchers.release(personId)
      const isKnown = state.personId === personId && identifiedNow === personId
      const kept = token === undefined ? state : withToken(state, personId, token).state
      if (isKnown && Object.keys(json).length === 0) return { state: kept, items: [] }
      identifiedNow = personId
      return registering((one) => calls.identify(one, facts, personId, json, engine.newId))(kept)
    }, true)
  }

  const launched = call((state) => {
    const isOtherPhone =
      phoneMark !== null && state.phoneMark !== null && phoneMark !== state.phoneMark
    const mine = isOtherPhone ? newInstallation(state, engine.newId) : state
    const isNews = phoneMark !== null && phoneMark !== mine.phoneMark
    const marked = isNews ? { ...mine, phoneMark } : mine
    return facts === null
      ? { state: marked, items: [] }
      : registering((one) => calls.registrationOf(one, facts))(marked)
  }, true)

  const client: Client = {
    // Async, so that a wrong argument rejects like everything else.
    async identify(person, attributes = {}, { identityToken } = {}) {
      if (typeof person !== 'object' || person === null) {
        return identify(person, attributes, identityToken)
      }
      const { userId, traits, identityToken: token } = person
      if (userId !== undefined) return identify(userId, traits ?? {}, token)
      if (traits === undefined) throw new TypeError('userId or traits must be given')
      return client.setProfileAttributes(traits)
    },
    async clearIdentify() {
      identifiedNow = null
      await call((state) => calls.clearIdentify(state, facts), true)
    },
    async setProfileAttributes(attributes) {
      const json = toJsonObject(attributes, 'attributes')
      await call((state) => calls.setProfileAttributes(state, json), true)
    },
    async setDeviceAttributes(attributes) {
      const json = toJsonObject(attributes, 'attributes')
      await call(
        registering((state) => calls.setDeviceAttributes(state, facts, json)),
        true,
      )
    },
    async track(name, properties) {
      const event = textOf(name, 'name')
      const json = toJsonObject(properties, 'properties')
      await call((state) => calls.track(state, event, json), false)
    },
    async screen(title, properties) {
      const name = textOf(title, 'title')
      const json = toJsonObject(properties, 'properties')
      await call((state) => calls.screen(state, name, json), false)
    },
    async registerDeviceToken(text) {
      const token = textOf(text, 'token')
      await call((state) => {
        if (facts === null) throw new TypeError('the client was made without a device')
        if (isDeviceTold && state.device?.token === token) return { state, items: [] }
        const known = facts
        return registering((one) => calls.registerDeviceToken(one, known, token))(state)
      }, true)
    },
    async deleteDeviceToken() {
      await call((state) => calls.deleteDeviceToken(state), true)
    },
    async trackMetric({ deliveryID, deviceToken, event }) {
      const id = textOf(deliveryID, 'deliveryID')
      const recipient = textOf(deviceToken, 'deviceToken')
      if (!['delivered', 'opened', 'converted'].includes(event)) {
        throw new TypeError('event must be delivered, opened or converted')
      }
      await call((state) => calls.reportMetric(state, event, id, recipient), true)
    },
    async getDevice() {
      await launched
      await sender.flush()
      const { device, installationSecret, personId, identityTokens } = writer.state()
      if (device === null) return null
      const token = personId === null ? undefined : identityTokens[personId]
      return readOwnDevice(transport, device.token, installationSecret, token)
    },
    async updateDevice(next) {
      const isSame = JSON.stringify(next) === JSON.stringify(facts)
      facts = next
      if (isSame) return
      await call(
        registering((state) => calls.registrationOf(state, next)),
        true,
      )
    },
    async flush() {
      await launched
      await sender.flush()
    },
    async close() {
      await sender.close()
      await writer.change((state) => ({ state, items: [] }))
    },
  }
  return client
}

function withToken(
  state: Parameters<Change>[0],
  personId: string,
  token: string,
): ReturnType<Change> {
  const identityTokens = { ...state.identityTokens, [personId]: token }
  return { state: { ...state, identityTokens }, items: [] }
}
