export { type Absence, type AbsenceFacts, absenceOf } from './absence.ts'
export { AllowedAddresses, allowedAddressesMax, canonicalAddress } from './address.ts'
export {
  type ApnsPushType,
  type ApnsPushTypeName,
  apnsPushTypeNames,
  apnsPushTypes,
  isApnsPushType,
  pushTypeProblem,
} from './apns-push-type.ts'
export {
  type AttributeChange,
  type Attributes,
  AttributesInput,
  attributeBytesMax,
  attributeChange,
  attributeCountMax,
  attributeDepthMax,
  attributeNameBytesMax,
  type FoldedChange,
  foldChanges,
  type Json,
  type TimedChange,
} from './attributes.ts'
export { AuditHead } from './audit-head.ts'
export {
  type Backoff,
  backoffCeilingMs,
  backoffMs,
  connectionBackoff,
  providerBackoff,
} from './backoff.ts'
export {
  type CredentialFinding,
  type CredentialOutcome,
  replacementOutcome,
  verdictOf,
} from './credential-check.ts'
export { type Attempt, decide, type OnUnknown, unknownAttemptsMax, type Verdict } from './decide.ts'
export {
  type DeliveryCounts,
  type DeliveryStatus,
  deliveryStatuses,
  isBalanced,
  isWithheldByDeviceState,
  type SettledStatus,
  settledStatuses,
  type WithheldReason,
  withheldReasons,
} from './delivery.ts'
export {
  type DeviceAttributeChange,
  deviceAttributeChange,
  type FieldProblem,
  PersonDeviceInput,
  RegisterDeviceInput,
  reservedAttributes,
  TokenInput,
  tokenProblems,
} from './device.ts'
export {
  type DeviceEffect,
  type DeviceEvent,
  deviceEffect,
  failuresMax,
  type LastStatus,
} from './device-effect.ts'
export { diagnose, type ProviderFacts, type SystemFacts, type SystemProblem } from './diagnosis.ts'
export {
  erasedStandIn,
  type RenamedAudience,
  renameInAudience,
  type StandIns,
} from './erased-audience.ts'
export {
  cioIdOf,
  type Identifier,
  identifierBy,
  identifierKeys,
  identifierOf,
  personNoOf,
} from './identifier.ts'
export {
  type IdentityAlgorithm,
  type IdentityDoubt,
  type IdentityMode,
  type IdentityProof,
  type IdentityVerdict,
  identityAlgorithms,
  identityModes,
  judgeIdentity,
  modeOfNewApp,
  type NewAppMode,
  strictestMode,
} from './identity.ts'
export { type LaneResumed, resumedWords, type Tried } from './lane-trial.ts'
export { latencyBoundsMs, latencyClass, latencyPercentile } from './latency.ts'
export {
  type GuardSettings,
  guardDefaults,
  isFewForMassBounce,
  type MassBounce,
  massBounceIn,
  massBounceReason,
  type RecentVerdicts,
  type Verdicts,
} from './mass-bounce.ts'
export {
  ApnsOverride,
  AudienceInput,
  audienceListMax,
  type Content,
  ContentInput,
  collapseIdBytesMax,
  FcmOverride,
  type MessageContent,
  type MessageProgress,
  type MessageState,
  messageStateOf,
  messageStates,
  NewMessage,
  scheduleDaysMax,
  transactionalAudienceMax,
  transactionalDevicesMax,
  ttlSecondsDefault,
  ttlSecondsMax,
} from './message.ts'
export { deliveryIdOf, isDeliveryId, messageIdOf } from './message-id.ts'
export {
  type Delaying,
  type DeviceStanding,
  type LaneStanding,
  type Obstacle,
  obstaclesOf,
  type Withholding,
} from './obstacle.ts'
export { type AnswerKind, noAnswers, type Outcome } from './outcome.ts'
export { IdentifyInput, KnownPersonId, PersonId, personIdBytesMax } from './person.ts'
export {
  ClientMessageId,
  clientMessageIdBytesMax,
  EventName,
  EventProperties,
  type EventType,
  eventNameBytesMax,
  eventPropertiesBytesMax,
  eventTypes,
  PersonEventInput,
} from './person-event.ts'
export { peopleInSketch, sketchBits, sketchSlotOf } from './person-sketch.ts'
export {
  type Environment,
  type Lane,
  lanes,
  otherEnvironment,
  type Platform,
  type Provider,
  providers,
} from './platform.ts'
export {
  type AnswerMeaning,
  apnsMeanings,
  fcmFrontEndMeanings,
  fcmMeanings,
  isAboutOtherTopic,
  isAboutOwnHeaders,
  meaningOfStatus,
  type Subject,
  subjectOf,
} from './provider-answer.ts'
export {
  type AnswerCounts,
  askedPauseMs,
  type ProviderService,
  provesNoService,
  serviceOf,
  serviceRule,
} from './provider-service.ts'
export {
  provenBy,
  type ReceiptCounts,
  type ReceiptEvent,
  ReceiptInput,
  receiptEvents,
  receiptListMax,
} from './receipt.ts'
export { mayActAs, type Role, roles } from './role.ts'
export {
  cleanText,
  escapeControls,
  escapeLines,
  isCleanText,
  isPlainText,
  NameInput,
  nameLengthMax,
  plainText,
} from './text.ts'
export { ClientTime, UnixSeconds, unixSecondsMax } from './time.ts'
export { canonicalToken, providerOf, tokenLengthMax, tokenProblem } from './token.ts'
export {
  type Bucket,
  fullBucket,
  isOpen,
  levelOf,
  parseRate,
  type Rate,
  secondsUntilOpen,
  windowSeconds,
} from './token-bucket.ts'
