export {
  type Acceptance,
  type AcceptedMessage,
  acceptMessage,
  createAcceptor,
} from './acceptance.ts'
export {
  type AcceptedMinute,
  acceptedMinutes,
  countAccepted,
  tryUpkeep,
} from './accepted.ts'
export {
  createLoginRoles,
  type LoginRole,
  loginRoleName,
  loginRoleOf,
  loginRolesSql,
  loginUrl,
  newRolePassword,
} from './access/login-roles.ts'
export { type AccessState, accessState } from './access/look.ts'
export {
  policiesOf,
  tablesWithoutPolicy,
  tenantPrograms,
  tenantTables,
} from './access/policies.ts'
export { type DatabaseProgram, databasePrograms, groupRole } from './access/roles.ts'
export {
  addActivity,
  endActivity,
  type MessageSums,
  type OpenBreaker,
  type ProviderSums,
  type WorkerReport,
} from './activity.ts'
export {
  dropOldActivity,
  messageProgress,
  messageReasons,
  type ProgressPoint,
  type ProviderHealth,
  providerHealth,
  type ReasonCount,
  type SettledMinute,
  settledMinutes,
  type Workers,
  workersNow,
} from './activity-reads.ts'
export {
  type App,
  type AppProvider,
  appOfNo,
  appsOf,
  type CauseOfPause,
  createApp,
  createWorkspace,
  findApp,
  findWorkspace,
  loadCredentials,
  type NewCredentials,
  type ProviderState,
  pauseProvider,
  providersOf,
  providersOfAll,
  putCredentials,
  setSdkKeys,
  type Workspace,
  workspaceName,
} from './apps.ts'
export { changeAudited } from './audit-deeds.ts'
export {
  auditLogs,
  checkAuditHead,
  checkHeadSignature,
  type HeadSignature,
  type HeadVerdict,
  signAuditHead,
} from './audit-head.ts'
export {
  type Actor,
  type AuditAction,
  type AuditEntry,
  type AuditPage,
  type AuditTarget,
  audit,
  installationNo,
  type NewAuditEntry,
  readAudit,
} from './audit-log.ts'
export { type Backlog, backlogOf, type LaneBacklog } from './backlog.ts'
export { type Bell, createBell } from './bell.ts'
export { type BooksChecked, checkBooks, type Unbalanced } from './books.ts'
export { type CallerProof, noProof, secretKeyProof } from './caller-proof.ts'
export { cancelMessage } from './cancel.ts'
export { type Caps, capSettings, TooManyDevicesError, usualCaps } from './caps.ts'
export { closeChunk, type Rescued, releaseChunk, renewLeases, rescue } from './chunk-lifecycle.ts'
export {
  type ChunkMessage,
  type Claimable,
  claimWindow,
  type LeasedChunk,
  leaseChunks,
  leaseSeconds,
} from './chunks.ts'
export type { ClientMessage } from './client-messages.ts'
export {
  type CoalescedRun,
  type CoalesceOptions,
  CoalescerFullError,
  coalesce,
} from './coalesce.ts'
export type { Command, CommandVerdict, IdentifyCommand, Sent } from './command.ts'
export { createCommander } from './commands.ts'
export {
  connect,
  type Database,
  type DatabaseOptions,
  indexedSettings,
  inTransaction,
  isDatabaseUnavailable,
  type Sql,
  withRepeat,
} from './connect.ts'
export {
  findByFingerprint,
  lastDeliveries,
  type PersonDelivery,
  type StandingDevice,
  standingDevices,
} from './console-devices.ts'
export {
  type ConsoleSession,
  closeSession,
  dropExpiredSessions,
  findSession,
  openSession,
  sessionIdleSeconds,
} from './console-sessions.ts'
export {
  type Asker,
  askCheck,
  askReplacement,
  type CredentialTask,
  dropOldTasks,
  findTask,
  finishTask,
  lastTasks,
  publishBoxKey,
  type TakenTask,
  takeTask,
} from './credential-tasks.ts'
export type { Deletion } from './deletion-rule.ts'
export {
  type DeliveryPage,
  type DeliveryReport,
  deliveriesOfMessage,
  deliveriesOfPerson,
} from './deliveries.ts'
export { statusCode, statusOf } from './delivery-codes.ts'
export { type DeliveryScan, scanDeliveries } from './delivery-scan.ts'
export {
  countDevices,
  type DeviceCount,
  type DeviceCounts,
  deviceCounts,
  lastDeviceCount,
} from './device-counts.ts'
export { type Device, isAttributesTooLarge } from './device-rows.ts'
export {
  appsWithToken,
  type DeviceChange,
  type DeviceName,
  deleteDevice,
  findDevice,
  findReadableDevice,
  type ReadableDevice,
  type Untying,
  untieDevice,
} from './devices.ts'
export { type Doubt, type DoubtRule, weighDoubts } from './doubts.ts'
export { type EncryptionKey, keysIn, parseEncryptionKey, seal } from './encryption.ts'
export { eraseSlice } from './erasure/slice.ts'
export { dropOldErasures, type OpenErasures, openErasures } from './erasure/standing.ts'
export { dropOldEvents, type EventRetention } from './event-retention.ts'
export {
  type ExportedDevice,
  type ExportedPerson,
  type ExportPage,
  exportDevices,
  exportPeople,
} from './exports.ts'
export { createIdentifier, type Identification } from './identifications.ts'
export {
  type AppIdentity,
  deleteIdentityKey,
  identitiesOf,
  identityModesOf,
  type NewIdentityKey,
  openIdentityKey,
  putIdentityKey,
  readIdentityKey,
  type StoredIdentityKey,
  setIdentityMode,
} from './identity-keys.ts'
export type { Standing } from './import-standing.ts'
export { createImporter, type Imported, type ImportRow } from './imports.ts'
export { type KeySurvey, type NotableKey, surveyKeys } from './key-survey.ts'
export { generateKey, hashKey, isKeyText, type KeyKind, keyKindOf } from './key-text.ts'
export { type KeyUse, noteKeyUses } from './key-uses.ts'
export {
  createKey,
  findInstallationKey,
  findKeys,
  type InstallationOperator,
  type KeyOwner,
  type KeyTerms,
  keysOf,
  type ListedKey,
  type NewKey,
  revokeKey,
} from './keys.ts'
export {
  finishTrial,
  hasOpenChunks,
  resumeLane,
  type Trial,
  type TrialChunk,
  takeTrial,
  trialChunks,
} from './lane-trials.ts'
export {
  type BounceDecision,
  decideBounces,
  openLane,
  type Resumed,
  recentVerdicts,
  tripGuard,
  updateUsualShares,
} from './mass-bounce.ts'
export { type PeopleMerge, renamePerson } from './merge-people.ts'
export { type ListedMessage, type ListedPage, listMessages } from './message-list.ts'
export { type MessagePage, type MessageQuery, readMessages } from './message-page.ts'
export { dropOldMessages, type MessageRetention } from './message-retention.ts'
export {
  findKeyedMessage,
  findMessage,
  type MessageReport,
} from './messages.ts'
export { migrate, type SchemaState, schemaState } from './migrate.ts'
export {
  type Doorbell,
  doorbellChannel,
  outboxLagSeconds,
  takeDoorbells,
  traceparentsOf,
} from './outbox.ts'
export { createPartitions } from './partitions.ts'
export {
  deletePerson,
  devicesOfPerson,
  erasePerson,
  findPerson,
  type OwnedDevice,
  type Person,
  type PersonName,
  suppressPerson,
  unsuppressPerson,
} from './people.ts'
export {
  type FoundPerson,
  findNumberedPerson,
  findPeopleByEmail,
  findPeopleByPrefix,
  findPeopleByToken,
} from './people-search.ts'
export {
  type EventCursor,
  type EventPage,
  type NewPersonEvent,
  type PersonEvent,
  readEvents,
} from './person-events.ts'
export { type ExportedSubject, exportParts } from './person-export.ts'
export {
  createPersonFinder,
  findPersonIds,
  type PersonReference,
  personIdNamed,
  SeveralPeopleError,
} from './person-finder.ts'
export {
  messagesOfPerson,
  type PersonMessage,
  type PersonMessagePage,
  type PersonMessageQuery,
} from './person-messages.ts'
export {
  planSlice,
  type Recipients,
} from './planning.ts'
export {
  namesOfPerson,
  type PersonNames,
  type Profile,
  peopleWithEmail,
  readProfiles,
} from './profiles.ts'
export { type BucketSpending, removeFullBuckets, settleBuckets } from './rate-buckets.ts'
export {
  createReceiptTaker,
  type EarlyReceiptPlace,
  type Receipt,
  type ReceiptVerdict,
  settleEarlyReceipts,
} from './receipts.ts'
export type { Recipient } from './recipients.ts'
export {
  type ProviderVerdicts,
  type Recorded,
  type Recording,
  recordOutcomes,
} from './recording.ts'
export type { DeviceChanged, Registered } from './registration-batch.ts'
export type { Registration } from './registration-rule.ts'
export { createRegistrar } from './registrations.ts'
export {
  type Resealed,
  resealCredentials,
  resealIdentitySecrets,
  type SealedTexts,
  sealedCredentials,
  sealedIdentitySecrets,
} from './reseal.ts'
export { beginMessage, type Release, releaseMessage, scheduledRoom } from './scheduling.ts'
export { type ServerState, serverState } from './server-state.ts'
export { analyzeOutgrown } from './statistics.ts'
export {
  type LaneState,
  type LaneTotals,
  type OldestWork,
  surveyBacklog,
  surveyLanes,
  surveyOldest,
  surveyUnbalanced,
} from './survey.ts'
export { inWorkspaces, workspacesNow } from './tenancy.ts'
export {
  readTimeline,
  type TimelineCursor,
  type TimelineEvent,
  type TimelinePage,
} from './timeline.ts'
export { tokenFingerprint, tokenHash } from './token-hash.ts'
export { type Trace, traceMessage } from './trace.ts'
