import { pathsOf } from './directory.ts'
import type { Ports } from './ports.ts'
import { postgresChild, postgresUrl } from './postgres.ts'
import { SimulatorReady, simulatorProgram } from './programs.ts'
import { hasRedisServer, redisChild, redisUrl } from './redis.ts'
import type { Secrets } from './secrets.ts'
import type { Service } from './service.ts'
import type { ServiceGroup } from './service-group.ts'

export interface BackingOptions {
  directory: string
  databaseUrl?: string | undefined
  postgresSettings?: string[]
  redisUrl?: string | undefined
  withRedis?: boolean
  journal?: 'full' | 'count'
  ports: Ports
  secrets: Secrets
}

/** What the services and workers stand on. */
export interface Backing {
  /** null: the database was there already. */
  postgres: Service | null
  databaseUrl: string
  redis: Service | null
  /** undefined: the queues are in PostgreSQL. */
  redisUrl: string | undefined
  simulator: Service
  simulatorReady: SimulatorReady
}

/** Starts the database, the queues' Redis and the simulator, as far as they are ours to start. */
export async function startBacking(group: ServiceGroup, options: BackingOptions): Promise<Backing> {
  const [database, queues, providers] = await Promise.all([
    startDatabase(group, options),
    startQueues(group, options),
    startSimulator(group, options),
  ])
  return { ...database, ...queues, ...providers }
}

/** The embedded server's database. */
export const databaseName = 'pushkeep'

async function startDatabase(group: ServiceGroup, options: BackingOptions) {
  const { databaseUrl, directory, postgresSettings = [], ports, secrets } = options
  if (databaseUrl !== undefined) return { postgres: null, databaseUrl }
  const server = {
    directory: pathsOf(directory).postgres,
    password: secrets.database_password,
    port: ports.postgres,
    // Each process of workers holds a few dozen connections where the queues are here, too.
    settings: ['max_connections=400', ...postgresSettings],
  }
  const postgres = await group.start(postgresChild(server), ranks.database)
  return { postgres, databaseUrl: postgresUrl(server, databaseName) }
}

async function startQueues(group: ServiceGroup, options: BackingOptions) {
  if (options.redisUrl !== undefined) return { redis: null, redisUrl: options.redisUrl }
  if (!options.withRedis) return { redis: null, redisUrl: undefined }
  if (!hasRedisServer()) {
    throw new Error('there is no redis-server on this machine: install one, or set REDIS_URL')
  }
  const server = {
    directory: pathsOf(options.directory).redis,
    port: options.ports.redis,
    password: options.secrets.redis_password,
  }
  const redis = await group.start(await redisChild(server), ranks.database)
  return { redis, redisUrl: redisUrl(server) }
}

async function startSimulator(group: ServiceGroup, options: BackingOptions) {
  const { directory, ports, journal = 'full' } = options
  const program = simulatorProgram({ directory: pathsOf(directory).simulator, ports, journal })
  const simulator = await group.start(program, ranks.simulator)
  const ready = SimulatorReady.parse(simulator.child?.ready)
  return { simulator, simulatorReady: ready }
}

/** The order in which they end: whoever is asked first, whoever is needed last. */
export const ranks = { service: 0, workers: 1, simulator: 2, database: 3 } as const
