import { join } from 'node:path'
import { z } from 'zod'
import type { ChildOptions } from './child.ts'
import { rootDirectory } from './directory.ts'

/** What the simulator's ready line tells. */
export const SimulatorReady = z.looseObject({
  urls: z.object({
    simulator: z.string(),
    apnsProduction: z.string(),
    apnsSandbox: z.string(),
    fcm: z.string(),
    fcmToken: z.string(),
  }),
  ca_file: z.string(),
  credentials_file: z.string(),
})

export type SimulatorReady = z.infer<typeof SimulatorReady>

export interface SimulatorProgram {
  directory: string
  ports: { simulator: number; apns: number; apnsSandbox: number; fcm: number }
  journal: 'full' | 'count'
}

/** How the simulator of APNs and FCM is run. */
export function simulatorProgram({ directory, ports, journal }: SimulatorProgram): ChildOptions {
  const flags = {
    'admin-port': ports.simulator,
    'apns-port': ports.apns,
    'apns-sandbox-port': ports.apnsSandbox,
    'fcm-port': ports.fcm,
    'state-dir': directory,
    journal,
  }
  return {
    name: 'simulator',
    file: join(rootDirectory, 'packages/provider-simulator/src/main.ts'),
    args: Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]),
  }
}

/** What the two services and the workers have in common. */
export interface Common {
  databaseUrl: string
  redisUrl: string | undefined
  logLevel: string
}

/** Variables of a process. */
export type Environment = Record<string, string>

// An empty variable counts as unset: what our own environment says of it must not reach them.
function commonEnvironment({ databaseUrl, redisUrl, logLevel }: Common): Environment {
  return { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl ?? '', LOG_LEVEL: logLevel }
}

/** Where a service listens. */
export interface ServicePorts {
  own: number
  operations: number
}

export interface RegistryProgram {
  common: Common
  ports: ServicePorts
  identityKey: string
  own?: Environment | undefined
}

/** How the token registry is run. */
export function registryProgram(program: RegistryProgram): ChildOptions {
  const { common, ports, identityKey, own } = program
  return {
    name: 'token-registry',
    file: join(rootDirectory, 'services/token-registry/src/main.ts'),
    env: {
      ...commonEnvironment(common),
      REGISTRY_HOST: '127.0.0.1',
      REGISTRY_PORT: String(ports.own),
      REGISTRY_OPS_HOST: '127.0.0.1',
      REGISTRY_OPS_PORT: String(ports.operations),
      PUSHKEEP_IDENTITY_KEY: identityKey,
      ...own,
    },
  }
}

/** How the push sender is run. */
export function senderProgram(
  common: Common,
  ports: ServicePorts,
  own?: Environment,
): ChildOptions {
  return {
    name: 'push-sender',
    file: join(rootDirectory, 'services/push-sender/src/main.ts'),
    env: {
      ...commonEnvironment(common),
      SENDER_HOST: '127.0.0.1',
      SENDER_PORT: String(ports.own),
      SENDER_OPS_HOST: '127.0.0.1',
      SENDER_OPS_PORT: String(ports.operations),
      ...own,
    },
  }
}

export interface WorkersProgram {
  common: Common
  port: number
  name: string
  encryptionKey: string
  journalDirectory: string
  simulator: SimulatorReady
  own?: Environment | undefined
}

// Nearly everything a push allocates dies young: a small nursery keeps the process at half the size
// and its pauses at a millisecond, at the same speed (docs/performance.md).
const workersFlags = ['--max-semi-space-size=4']

// Of glibc: an arena of memory for each thread keeps what the others could use.
const workersMemory = { MALLOC_ARENA_MAX: '2' }

/** How one process of workers is run: its providers are the simulator. */
export function workersProgram(program: WorkersProgram): ChildOptions {
  const { urls, ca_file } = program.simulator
  return {
    name: program.name,
    file: join(rootDirectory, 'workers/src/main.ts'),
    nodeFlags: workersFlags,
    env: {
      ...commonEnvironment(program.common),
      ...workersMemory,
      PUSHKEEP_ENCRYPTION_KEY: program.encryptionKey,
      APNS_PRODUCTION_URL: urls.apnsProduction,
      APNS_SANDBOX_URL: urls.apnsSandbox,
      FCM_URL: urls.fcm,
      FCM_TOKEN_URL: urls.fcmToken,
      PROVIDER_CA_FILE: ca_file,
      OUTCOME_JOURNAL_DIR: program.journalDirectory,
      WORKER_HOST: '127.0.0.1',
      WORKER_PORT: String(program.port),
      ...program.own,
    },
  }
}
