import type { DeviceFacts, MetricEvent } from './calls.ts'
import type { DeviceState } from './device-state.ts'
import type { Attributes } from './json.ts'

/** A person, as the object form of `identify` has them. */
export interface IdentifyParams {
  userId?: string
  traits?: Attributes
  identityToken?: string
}

/** What goes with the positional form of `identify`. */
export interface IdentifyOptions {
  /** A JWT by which your backend vouches for the person, where the app requires it. */
  identityToken?: string
}

/**
 * What an app calls. Every call resolves when it is stored, and not when it is sent: an app may end
 * at once. It rejects with a `TypeError` that names the argument which is wrong; all else that goes
 * wrong is told through `onError`.
 */
export interface Client {
  /**
   * Makes this person the one who uses the app, adds them or merges attributes into theirs. By id, or
   * as `{ userId, traits }`.
   */
  identify(
    person: string | IdentifyParams,
    attributes?: Attributes,
    options?: IdentifyOptions,
  ): Promise<void>
  /** Forgets the person, and unties the device from them. */
  clearIdentify(): Promise<void>
  /** Merges attributes into the person's: only the keys given change, `null` or `""` removes one. */
  setProfileAttributes(attributes: Attributes): Promise<void>
  /** Merges attributes into the device's. */
  setDeviceAttributes(attributes: Attributes): Promise<void>
  /** Records an event of whoever is identified now. */
  track(name: string, properties?: Attributes): Promise<void>
  /** Records that a screen was shown. */
  screen(title: string, properties?: Attributes): Promise<void>
  /** Registers the token that APNs or FCM gave the app. */
  registerDeviceToken(token: string): Promise<void>
  /** Deletes the device on the server. */
  deleteDeviceToken(): Promise<void>
  /** Tells what became of a push: `deliveryID` is its payload's `CIO-Delivery-ID`. */
  trackMetric(params: TrackMetricParams): Promise<void>
  /** What the server knows of this device; null: nothing, or nothing that it tells us. */
  getDevice(): Promise<DeviceState | null>
  /** Takes note of what the phone says of itself now, and tells the server what changed. */
  updateDevice(facts: DeviceFacts): Promise<void>
  /** Sends what waits, now; resolves when nothing more can be sent at present. */
  flush(): Promise<void>
  /** Ends it. What waits is kept for the next client on the same store. */
  close(): Promise<void>
}

export interface TrackMetricParams {
  deliveryID: string
  deviceToken: string
  event: MetricEvent
}
