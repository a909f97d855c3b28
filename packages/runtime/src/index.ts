export {
  type Access,
  admitCaller,
  callerOf,
  forCaller,
  noteUse,
  refusalOfAppKey,
  type SignedIn,
} from './access.ts'
export { actorOf } from './actor.ts'
export { type Attempt, createAttemptLog, type NoteAttempt } from './attempts.ts'
export {
  type Authenticate,
  type AuthenticatorOptions,
  type Caller,
  createAuthenticator,
  keyOf,
} from './authentication.ts'
export {
  addressList,
  databaseConfig,
  flag,
  integer,
  logLevel,
  logLevels,
  operationsPort,
  port,
  readConfig,
  Secret,
  secret,
} from './config.ts'
export {
  type ConnectionLimits,
  connectionConfig,
  limitConnections,
  usualConnections,
} from './connections.ts'
export { loggedProblemOf, sendProblem } from './error-handler.ts'
export { acceptJson, type JsonBodies } from './json-body.ts'
export { isAllowedFrom, isExpired, refusalByTerms } from './key-terms.ts'
export { createKeyUses, type KeyUses } from './key-uses.ts'
export { capsOf, personCapConfig, scheduleCapConfig, tooManyDevices } from './limits/caps.ts'
export {
  type Charge,
  createLimiter,
  type Limiter,
  type LimiterOptions,
  type Refusal,
} from './limits/limiter.ts'
export { createLimitEvents, type LimitEvents } from './limits/metrics.ts'
export {
  type LimitName,
  limitBuckets,
  limitConfig,
  limitNames,
  noLimits,
  noRates,
  type Rates,
  ratesOf,
  usualRates,
} from './limits/policies.ts'
export { addressOf, limiterOf, spendItems, spendOrRefuse, tooMany } from './limits/requests.ts'
export {
  type SettleTogether,
  type SharedSpending,
  type Sharing,
  shareLimits,
} from './limits/shares.ts'
export { type LimitsOptions, type RunningLimits, startLimits } from './limits/start.ts'
export { createLevelSwitch, type LevelSwitch, type LogLevel } from './log-level.ts'
export { createLogger, describeError, type Logger, type LoggerOptions, scrub } from './logger.ts'
export { type CoalescerObserver, observeCoalescers } from './metrics/coalescer.ts'
export { observeDatabase } from './metrics/database.ts'
export { type CounterSeries, FastCounter } from './metrics/fast-counter.ts'
export { FastHistogram, type HistogramSeries } from './metrics/fast-histogram.ts'
export { boundedLabel, otherLabel } from './metrics/labels.ts'
export { createMetrics, type Metrics, metricsContentType } from './metrics/metrics.ts'
export {
  buildOperations,
  type OperationsListener,
  type OperationsOptions,
  startOperations,
} from './operations.ts'
export {
  conflict,
  FieldError,
  invalid,
  notFound,
  Problem,
  type ProblemDetails,
  ProblemError,
  problemResponses,
  unavailable,
} from './problem.ts'
export { type ProcessOptions, type Running, runProcess } from './process.ts'
export { noteRequest, type RequestNotes } from './request-log.ts'
export { withSecretFiles } from './secret-files.ts'
export { buildServer, type Server, type ServerOptions } from './server.ts'
export { type TracingConfig, tracingConfig } from './tracing/config.ts'
export {
  activeTraceId,
  activeTraceparent,
  startTracing,
  type Tracing,
} from './tracing/tracing.ts'
export { check, fieldErrors, itemOf, type Validated, validateItem } from './validation.ts'
