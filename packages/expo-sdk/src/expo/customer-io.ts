import type { Client } from '../core/api.ts'
import { createClient } from '../core/client.ts'
import type { SdkError } from '../core/errors.ts'
import type { ClientOptions } from '../core/options.ts'
import { type PermissionStatus, type Phone, pushDataIn } from './phone-interface.ts'

/** What an app is initialized with. */
export interface CustomerIOConfig
  extends Omit<ClientOptions, 'device' | 'phoneMark' | 'library' | 'engine'> {
  /** Takes the phone's token by itself, at launch and when it changes; true. */
  autoRegisterDeviceToken?: boolean
  /** Collects `device_model`, `app_version` and so on; true. `push_enabled` is told in any case. */
  autoTrackDeviceAttributes?: boolean
  /** Reports `delivered` and `opened` of pushes by itself; true. */
  autoTrackPushEvents?: boolean
}

/** The SDK as an app uses it: calls as Customer.io's SDK has them, on one client for the whole app. */
export interface CustomerIO extends Omit<Client, 'close' | 'updateDevice'> {
  /** Starts the SDK. Before anything else, once a launch: a second call changes nothing. */
  initialize(config: CustomerIOConfig): Promise<void>
  isInitialized(): boolean
  pushMessaging: PushMessaging
}

export interface PushMessaging {
  /** The token that APNs or FCM gave this phone; null: none. */
  getRegisteredDeviceToken(): Promise<string | null>
  getPushPermissionStatus(): Promise<PermissionStatus>
  /** Asks whether pushes may be shown, where the system still lets an app ask. */
  showPromptForPushNotifications(options?: {
    ios?: { badge?: boolean; sound?: boolean }
  }): Promise<PermissionStatus>
  /** Reports a push as delivered by its payload. For code that runs while the app does not. */
  trackNotificationReceived(payload: object): Promise<void>
  /** Reports a push as opened by its payload. */
  trackNotificationResponseReceived(payload: object): Promise<void>
}

/** A client that follows a phone. */
interface Running {
  client: Client
  /** Tells the server what the phone says of itself now. */
  refresh: () => Promise<void>
}

/** Joins a client with a phone. */
export function createCustomerIO(
  phone: Phone,
  engine: Pick<ClientOptions, 'engine' | 'library'> = {},
): CustomerIO {
  let started: Promise<Running> | null = null

  async function client(): Promise<Client> {
    if (started === null) throw new Error('call CustomerIO.initialize first')
    return (await started).client
  }

  /** Facts of the phone; without those that were not wanted. */
  async function factsOf({ autoTrackDeviceAttributes = true }: CustomerIOConfig) {
    const facts = await phone.facts()
    if (facts === null || autoTrackDeviceAttributes) return facts
    const { push_enabled = null } = facts.attributes
    return { ...facts, attributes: { push_enabled } }
  }

  async function start(config: CustomerIOConfig): Promise<Running> {
    const tell = teller(config)
    const facts = await factsOf(config).catch(tell('the phone does not tell what it is', null))
    const phoneMark = await phone.mark().catch(tell('the phone has no mark', null))
    const client = createClient({
      ...config,
      ...engine,
      ...(facts === null ? {} : { device: facts }),
      phoneMark,
    })
    const refresh = async () => {
      const now = await factsOf(config)
      if (now !== null) await client.updateDevice(now)
    }
    follow({ client, refresh }, config)
    return { client, refresh }
  }

  /** Takes note of what happens on the phone from now on. */
  function follow({ client: one, refresh }: Running, config: CustomerIOConfig): void {
    const { autoRegisterDeviceToken = true, autoTrackPushEvents = true } = config
    const tell = teller(config)
    const takeToken = async () => {
      const token = await phone.token()
      if (token !== null) await one.registerDeviceToken(token)
    }
    phone.onUse({
      foreground: () => {
        // The permission may have changed in the settings.
        refresh()
          .catch(tell('the phone does not tell its permission', undefined))
          .then(() => one.flush())
          .catch(tell('what waits could not be sent', undefined))
      },
      background: () => {
        one.flush().catch(tell('what waits could not be sent', undefined))
      },
    })
    if (autoRegisterDeviceToken) {
      phone.onToken((token) => {
        one.registerDeviceToken(token).catch(tell('the new token was not taken', undefined))
      })
      takeToken().catch(tell('the phone gives no token', undefined))
    }
    if (autoTrackPushEvents) {
      const report = (event: 'delivered' | 'opened') => (push: ReturnType<typeof pushDataIn>) => {
        if (push === null) return
        const { deliveryId: deliveryID, token: deviceToken } = push
        one
          .trackMetric({ deliveryID, deviceToken, event })
          .catch(tell('a push could not be reported', undefined))
      }
      phone.onPush({ received: report('delivered'), opened: report('opened') })
    }
  }

  async function track(event: 'delivered' | 'opened', payload: object): Promise<void> {
    const push = pushDataIn(payload)
    if (push === null) return
    const one = await client()
    await one.trackMetric({ deliveryID: push.deliveryId, deviceToken: push.token, event })
  }

  return {
    async initialize(config) {
      started ??= start(config)
      const starting = started
      await starting.catch((cause) => {
        // The configuration was wrong: it may be tried again.
        if (started === starting) started = null
        throw cause
      })
    },
    isInitialized: () => started !== null,
    identify: async (person, attributes, options) =>
      (await client()).identify(person, attributes, options),
    clearIdentify: async () => (await client()).clearIdentify(),
    setProfileAttributes: async (attributes) => (await client()).setProfileAttributes(attributes),
    setDeviceAttributes: async (attributes) => (await client()).setDeviceAttributes(attributes),
    track: async (name, properties) => (await client()).track(name, properties),
    screen: async (title, properties) => (await client()).screen(title, properties),
    registerDeviceToken: async (token) => (await client()).registerDeviceToken(token),
    deleteDeviceToken: async () => (await client()).deleteDeviceToken(),
    trackMetric: async (params) => (await client()).trackMetric(params),
    getDevice: async () => (await client()).getDevice(),
    flush: async () => (await client()).flush(),
    pushMessaging: {
      getRegisteredDeviceToken: () => phone.token(),
      getPushPermissionStatus: () => phone.permission(),
      async showPromptForPushNotifications({ ios = {} } = {}) {
        const status = await phone.askPermission(ios)
        if (started !== null) await (await started).refresh()
        return status
      },
      trackNotificationReceived: (payload) => track('delivered', payload),
      trackNotificationResponseReceived: (payload) => track('opened', payload),
    },
  }
}

/** For `catch`: tells the app of it, and goes on with something else. */
function teller({ onError }: CustomerIOConfig) {
  return <T>(message: string, instead: T) =>
    (cause: unknown): T => {
      const error: SdkError = { kind: 'device', message, cause }
      onError?.(error)
      return instead
    }
}
