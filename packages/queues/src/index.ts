export {
  openQueues,
  type PointerQueue,
  type PointerWorker,
  type QueueBackend,
  type QueueState,
  type Queues,
  type QueuesOptions,
  type QueueTelemetry,
  queueBackend,
  queueTelemetry,
  type WorkerSettings,
} from './connection.ts'
export { PointerJob, type Ring } from './jobs.ts'
export { mergeMetrics } from './metrics-text.ts'
export { deliveryQueue, planQueue, queueNames } from './names.ts'
export { prepareQueues } from './prepare.ts'
export { type RedisState, readInfo, redisState } from './redis-state.ts'
