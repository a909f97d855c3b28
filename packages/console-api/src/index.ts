export {
  ApnsReplacement,
  App,
  AppList,
  AppProvider,
  BounceDecision,
  BouncesDecided,
  CredentialTask,
  FcmReplacement,
  NewApp,
  Resume,
  Resumed,
  TaskAsked,
} from './apps.ts'
export { AuditEntry, AuditList } from './audit.ts'
export { Key, KeyCreated, KeyList, NewKey } from './keys.ts'
export {
  Audience,
  Delivery,
  DeliveryList,
  ListedMessage,
  Message,
  MessageList,
  MessageState,
  ReasonCount,
} from './messages.ts'
export {
  DeviceCount,
  LaneBacklog,
  Minute,
  Overview,
  Problem,
  ProviderHealth,
  QueueDepth,
} from './overview.ts'
export {
  Device,
  FoundPerson,
  Obstacle,
  PeopleFound,
  PeopleSearch,
  Person,
  PersonDelivery,
  TestPush,
  TestSent,
  Timeline,
  Trace,
  Why,
} from './people.ts'
export { ProblemBody } from './problem.ts'
export { Session, SignIn } from './session.ts'
export { AppName, Counts, Receipts, Settled } from './shared.ts'
