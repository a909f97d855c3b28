export type { DeviceFacts, MetricEvent } from './calls.ts'
export {
  type Client,
  createClient,
  type IdentifyOptions,
  type IdentifyParams,
  type TrackMetricParams,
} from './client.ts'
export type { DeviceState } from './device-state.ts'
export type { Engine, Fetch, FetchAnswer } from './engine.ts'
export type { FieldError, OnError, SdkError } from './errors.ts'
export type { Platform } from './items.ts'
export type { Attributes, Json } from './json.ts'
export type { ClientOptions } from './options.ts'
export type { Store } from './store.ts'
export { version } from './version.ts'
export type { IdentityTokenProvider } from './vouchers.ts'
