export { type ApnsAnswer, apnsReasons, classifyApns } from './apns/classify.ts'
export { createApnsProvider } from './apns/client.ts'
export { type ApnsPush, renderApns } from './apns/payload.ts'
export { checkApns, checkFcm } from './check.ts'
export {
  type ApnsCredentials,
  type FcmCredentials,
  type Parsed,
  parseApnsCredentials,
  parseFcmCredentials,
  type ServiceAccount,
} from './credentials.ts'
export { classifyFcm, type FcmAnswer } from './fcm/classify.ts'
export { createFcmProvider } from './fcm/client.ts'
export { type FcmPush, renderFcm } from './fcm/payload.ts'
export { type PayloadProblem, payloadBytes, payloadProblem } from './payload-problem.ts'
export { type Personal, type Personalise, personalApns, personalFcm } from './personal.ts'
export type { PoolSettings, PoolStats } from './pool-settings.ts'
export {
  type AccessTokenState,
  type Endpoints,
  type Flaw,
  type MessageToRender,
  type ProviderOptions,
  type PushProvider,
  type PushTarget,
  providerEndpoints,
} from './provider.ts'
export { inspectTemplates, type TemplateScope, withoutTemplates } from './templates.ts'
export { Urgency } from './urgency.ts'
