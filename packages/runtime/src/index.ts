export { type Access, admitCaller, callerOf, type SignedIn } from './access.ts'
export {
  type Authenticate,
  type AuthenticatorOptions,
  type Caller,
  createAuthenticator,
  keyOf,
} from './authentication.ts'
export {
  databaseConfig,
  flag,
  integer,
  logLevel,
  logLevels,
  port,
  readConfig,
  Secret,
  secret,
} from './config.ts'
export { loggedProblemOf, sendProblem } from './error-handler.ts'
export { acceptJson, type JsonBodies } from './json-body.ts'
export { createLogger, describeError, type Logger, type LoggerOptions, scrub } from './logger.ts'
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
export { buildServer, type Server, type ServerOptions } from './server.ts'
export { fieldErrors, itemOf, type Validated, validateItem } from './validation.ts'
