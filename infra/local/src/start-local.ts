import { rm } from 'node:fs/promises'
import type { DatabaseProgram } from '@pushkeep/store'
import { type Backing, ranks, startBacking } from './backing.ts'
import type { ChildOptions } from './child.ts'
import { pathsOf, prepareDirectory, writePrivateJson } from './directory.ts'
import type { Local } from './local.ts'
import { choosePorts, freePort, type Ports } from './ports.ts'
import { prepareDatabase } from './prepare-database.ts'
import {
  type Environment,
  registryProgram,
  type ServicePorts,
  senderProgram,
  workersProgram,
} from './programs.ts'
import { type Installation, loadSecrets } from './secrets.ts'
import type { Service } from './service.ts'
import { ServiceGroup } from './service-group.ts'

export interface LocalOptions {
  /** Where everything of this installation stays. One run at a time. */
  directory: string
  /** A PostgreSQL that is there already; left out: the embedded one. */
  databaseUrl?: string | undefined
  /** Settings of the embedded one, `name=value`. */
  postgresSettings?: string[]
  /** A Redis that is there already, for the queues; left out: the queues are in PostgreSQL. */
  redisUrl?: string | undefined
  /** Starts a private `redis-server` for the queues. */
  withRedis?: boolean
  /** Processes of workers. */
  workers?: number
  /** Processes of each service, one if left out; all but the first are on any free port. */
  services?: number
  /** `usual` ones where they are free, or any that are (the default). */
  ports?: 'usual' | 'free'
  /** Seals provider credentials; left out: the directory's own. */
  encryptionKey?: string | undefined
  /** How much of each push the simulator keeps. */
  journal?: 'full' | 'count'
  logLevel?: string
  /** Further variables for each kind of process. */
  env?: { registry?: Environment; sender?: Environment; workers?: Environment }
  /** Starts a process again that dies by itself; true if left out. */
  restart?: boolean
  /** Each line that a process prints. */
  onLine?: (name: string, line: string) => void
  /** What an operator should know, in words: a process died, or runs again. */
  onNews?: (news: string) => void
  /** Ends the run, also one that is still starting. */
  signal?: AbortSignal
}

/** One of several processes of a service. */
export interface Instance {
  url: string
  service: Service
}

/** An installation that runs. */
export interface LocalRun {
  local: Local
  /** Whether public keys name people without an identity token. */
  isOpen: boolean
  /** null: the database was there already. */
  postgres: Service | null
  redis: Service | null
  simulator: Service
  registry: Service
  sender: Service
  /** All of their kind, the first included, with their URLs. */
  registries: Instance[]
  senders: Instance[]
  workers: Service[]
  /** Where the queues are; null: in PostgreSQL. */
  redisUrl: string | null
  /** In base64, as `PUSHKEEP_ENCRYPTION_KEY` takes it. */
  encryptionKey: string
  /** Ends all: services first so that no request is cut, then workers, simulator, database. */
  stop(): Promise<void>
}

/** Starts the whole of Pushkeep on this machine, against the simulator of APNs and FCM. */
export async function startLocal(options: LocalOptions): Promise<LocalRun> {
  const { directory, restart = true, onNews = () => {}, onLine, signal } = options
  await prepareDirectory(directory)
  const group = new ServiceGroup({ directory, restart, report: onNews, onLine })
  const stop = async () => {
    await group.stop()
    await rm(pathsOf(directory).local, { force: true })
  }
  signal?.addEventListener('abort', () => void group.stop(), { once: true })
  try {
    return { ...(await startAll(group, options)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startAll(
  group: ServiceGroup,
  options: LocalOptions,
): Promise<Omit<LocalRun, 'stop'>> {
  const { directory, logLevel = 'info', env = {} } = options
  const ports = await choosePorts(options.ports ?? 'free', options.workers ?? 1)
  const secrets = await loadSecrets(directory)
  const encryptionKey = options.encryptionKey ?? secrets.encryption_key
  const backing = await startBacking(group, { ...options, ports, secrets })
  const { postgres, redis, simulator, databaseUrl, redisUrl, simulatorReady } = backing
  const { installation, isOpen, databaseUrls } = await prepareDatabase({
    directory,
    databaseUrl,
    isEmbedded: postgres !== null,
    secrets,
    encryptionKey,
    credentialsFile: simulatorReady.credentials_file,
    redisUrl,
  })
  const commonTo = (program: DatabaseProgram) => ({
    databaseUrl: databaseUrls[program],
    redisUrl,
    logLevel,
  })
  const registryAt = (ports: ServicePorts) =>
    registryProgram({
      common: commonTo('registry'),
      ports,
      identityKey: secrets.identity_key,
      own: env.registry,
    })
  const senderAt = (ports: ServicePorts) => senderProgram(commonTo('sender'), ports, env.sender)
  const workersOn = (index: number) => (on: Ports) =>
    workersProgram({
      name: index === 0 ? 'workers' : `workers-${index + 1}`,
      common: commonTo('workers'),
      port: on.workers[index] ?? 0,
      encryptionKey,
      journalDirectory: pathsOf(directory).outcomes,
      simulator: simulatorReady,
      own: env.workers,
    })
  const registryOn = (on: Ports) =>
    registryAt({ own: on.registry, operations: on.registryOperations })
  const senderOn = (on: Ports) => senderAt({ own: on.sender, operations: on.senderOperations })
  const [registry, sender, ...workers] = await Promise.all([
    group.startOn(ports, registryOn, ranks.service),
    group.startOn(ports, senderOn, ranks.service),
    ...ports.workers.map((_, index) => group.startOn(ports, workersOn(index), ranks.workers)),
  ])
  const registryUrl = `http://127.0.0.1:${registry.ports.registry}`
  const senderUrl = `http://127.0.0.1:${sender.ports.sender}`
  const further = await startFurther(group, (options.services ?? 1) - 1, {
    registry: (own) => registryAt({ own, operations: 0 }),
    sender: (own) => senderAt({ own, operations: 0 }),
  })
  const local = describe(installation, backing, {
    registry_url: registryUrl,
    sender_url: senderUrl,
    metrics_urls: [
      registry.ports.registryOperations,
      sender.ports.senderOperations,
      ...workers.map(({ ports }, index) => ports.workers[index]),
    ].map((port) => `http://127.0.0.1:${port}/metrics`),
  })
  await writePrivateJson(pathsOf(directory).local, local)
  return {
    local,
    isOpen,
    postgres,
    redis,
    simulator,
    registry: registry.service,
    sender: sender.service,
    registries: [{ url: registryUrl, service: registry.service }, ...further.registry],
    senders: [{ url: senderUrl, service: sender.service }, ...further.sender],
    workers: workers.map(({ service }) => service),
    redisUrl: redisUrl ?? null,
    encryptionKey,
  }
}

/** More processes of each service, as behind a load balancer. */
async function startFurther(
  group: ServiceGroup,
  count: number,
  programs: Record<'registry' | 'sender', (port: number) => ChildOptions>,
): Promise<Record<'registry' | 'sender', Instance[]>> {
  const startOne = async (program: (port: number) => ChildOptions, number: number) => {
    const port = await freePort()
    const child = program(port)
    const service = await group.start({ ...child, name: `${child.name}-${number}` }, ranks.service)
    return { url: `http://127.0.0.1:${port}`, service }
  }
  const numbers = Array.from({ length: count }, (_, index) => index + 2)
  const [registry, sender] = await Promise.all([
    Promise.all(numbers.map((number) => startOne(programs.registry, number))),
    Promise.all(numbers.map((number) => startOne(programs.sender, number))),
  ])
  return { registry, sender }
}

function describe(
  installation: Installation,
  { simulatorReady: { urls, ca_file }, databaseUrl, redisUrl }: Backing,
  services: Pick<Local, 'registry_url' | 'sender_url' | 'metrics_urls'>,
): Local {
  return {
    ...services,
    apns_url: urls.apnsProduction,
    apns_sandbox_url: urls.apnsSandbox,
    fcm_url: urls.fcm,
    fcm_token_url: urls.fcmToken,
    provider_ca_file: ca_file,
    simulator_url: urls.simulator,
    ...installation,
    console_url: `${services.sender_url}/ops`,
    dashboard_url: `${services.sender_url}/ops/queues`,
    database_url: databaseUrl,
    redis_url: redisUrl ?? null,
  }
}
