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
  const { databaseUrl, directory, postgresSettings = [], secrets } = options
  if (databaseUrl !== undefined) return { postgres: null, databaseUrl }
  const server = {
    directory: pathsOf(directory).postgres,
    password: secrets.database_password,
    // Each process of workers holds a few dozen connections where the queues are here, too.
    settings: ['max_connections=400', ...postgresSettings],
  }
  const { service: postgres, ports } = await group.startOn(
    options.ports,
    ({ postgres: port }) => postgresChild({ ...server, port }),
    ranks.database,
  )
  const { password } = server
  return { postgres, databaseUrl: postgresUrl({ password, port: ports.postgres }, databaseName) }
}

async function startQueues(group: ServiceGroup, options: BackingOptions) {
  if (options.redisUrl !== undefined) return { redis: null, redisUrl: options.redisUrl }
  if (!options.withRedis) return { redis: null, redisUrl: undefined }
  if (!hasRedisServer()) {
    throw new Error('there is no redis-server on this machine: install one, or set REDIS_URL')
  }
  const { redis: directory } = pathsOf(options.directory)
  const { redis_password: password } = options.secrets
  const { service: redis, ports } = await group.startOn(
    options.ports,
    ({ redis: port }) => redisChild({ directory, password, port }),
    ranks.database,
  )
  return { redis, redisUrl: redisUrl({ password, port: ports.redis }) }
}

async function startSimulator(group: ServiceGroup, options: BackingOptions) {
  const { journal = 'full' } = options
  const { simulator: directory } = pathsOf(options.directory)
  const { service: simulator } = await group.startOn(
    options.ports,
    (ports) => simulatorProgram({ directory, ports, journal }),
    ranks.simulator,
  )
  return { simulator, simulatorReady: SimulatorReady.parse(simulator.child?.ready) }
}

/** The order in which they end: whoever is asked first, whoever is needed last. */
export const ranks = { service: 0, workers: 1, simulator: 2, database: 3 } as const
