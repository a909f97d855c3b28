export {
  openQueues,
  type PointerQueue,
  type PointerWorker,
  type QueueBackend,
  type Queues,
  type QueuesOptions,
  queueBackend,
  type Ring,
  type WorkerSettings,
} from './connection.ts'
export { jobId, PointerJob } from './jobs.ts'
export { deliveryQueue, planQueue, queueNames } from './names.ts'
