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
  type Ring,
  type WorkerSettings,
} from './connection.ts'
export { jobId, PointerJob } from './jobs.ts'
export { mergeMetrics } from './metrics-text.ts'
export { deliveryQueue, planQueue, queueNames } from './names.ts'
export { type RedisState, readInfo, redisState } from './redis-state.ts'
