export {
  type App,
  type AppProvider,
  appOfNo,
  appsOf,
  createApp,
  createWorkspace,
  findApp,
  findWorkspace,
  loadCredentials,
  type NewCredentials,
  type ProviderState,
  pauseProvider,
  providersOf,
  putCredentials,
  type Workspace,
} from './apps.ts'
export { type BooksChecked, checkBooks, type Unbalanced } from './books.ts'
export { cancelMessage } from './cancel.ts'
export { closeChunk, type Rescued, releaseChunk, renewLeases, rescue } from './chunk-lifecycle.ts'
export {
  type ChunkMessage,
  claimWindow,
  type LeasedChunk,
  leaseChunks,
  leaseSeconds,
  type Recipient,
} from './chunks.ts'
export {
  type CoalescedRun,
  type CoalesceOptions,
  CoalescerFullError,
  coalesce,
} from './coalesce.ts'
export {
  connect,
  type Database,
  type DatabaseOptions,
  indexedSettings,
  inTransaction,
  isDatabaseUnavailable,
  isRepeatable,
  type Sql,
  withRepeat,
} from './connect.ts'
export {
  type DeliveryPage,
  type DeliveryReport,
  deliveriesOfMessage,
  deliveriesOfPerson,
} from './deliveries.ts'
export { lastStatusCode, statusCode, statusOf } from './delivery-codes.ts'
export { type Device, isAttributesTooLarge } from './device-rows.ts'
export {
  appsWithToken,
  type DeviceChange,
  type DeviceChanged,
  type DeviceName,
  deleteDevice,
  findDevice,
  untieDevice,
} from './devices.ts'
export { type EncryptionKey, parseEncryptionKey, seal, unseal } from './encryption.ts'
export {
  type ExportedDevice,
  type ExportedPerson,
  type ExportPage,
  exportDevices,
  exportPeople,
} from './exports.ts'
export type { Standing } from './import-standing.ts'
export { createImporter, type Imported, type ImportRow } from './imports.ts'
export {
  createKey,
  findKeys,
  generateKey,
  hashKey,
  type KeyKind,
  type KeyOwner,
  keyPattern,
  type NewKey,
  revokeKey,
} from './keys.ts'
export { type Resumed, resumeProvider, tripGuard, updateUsualShares } from './mass-bounce.ts'
export { dropOldMessages, type MessageRetention } from './message-retention.ts'
export {
  type Acceptance,
  type AcceptedMessage,
  acceptMessage,
  findMessage,
  type MessageReport,
} from './messages.ts'
export { migrate } from './migrate.ts'
export {
  type Doorbell,
  doorbellChannel,
  outboxLagSeconds,
  takeDoorbells,
  traceparentsOf,
} from './outbox.ts'
export { createPartitions } from './partitions.ts'
export {
  createIdentifier,
  deletePerson,
  devicesOfPerson,
  findPerson,
  type Identification,
  type OwnedDevice,
  type Person,
  type PersonName,
  suppressPerson,
  unsuppressPerson,
} from './people.ts'
export {
  chunkSizeMax,
  explicitChunks,
  planSlice,
  type Recipients,
  recipientsOf,
  ringAgainSeconds,
} from './planning.ts'
export { type ProviderMinute, type Recorded, type Recording, recordOutcomes } from './recording.ts'
export type { Registered } from './registration-batch.ts'
export type { Registration } from './registration-rule.ts'
export { createRegistrar } from './registrations.ts'
export {
  type Backlog,
  type LaneState,
  surveyBacklog,
  surveyLanes,
  surveyUnbalanced,
} from './survey.ts'
export {
  readTimeline,
  type TimelineCursor,
  type TimelineEvent,
  type TimelinePage,
} from './timeline.ts'
export { tokenFingerprint, tokenHash } from './token-hash.ts'
