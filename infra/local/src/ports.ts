import { createServer, type Server } from 'node:net'

/** The ports of an installation on one machine. */
export interface Ports {
  registry: number
  registryOperations: number
  sender: number
  senderOperations: number
  simulator: number
  apns: number
  apnsSandbox: number
  fcm: number
  postgres: number
  redis: number
  /** One for each process of workers. */
  workers: number[]
}

const usual = [7001, 7011, 7002, 7012, 7004, 7005, 7006, 7007, 7008, 7009]
const usualWorkerPort = 7003

/** The ports that a run takes where they are free. */
export const usualPorts: readonly number[] = [...usual, usualWorkerPort].sort()

/** The usual ports, another one where one is in use; or any that are free. */
export async function choosePorts(which: 'usual' | 'free', workers: number): Promise<Ports> {
  const wanted = [...usual, ...Array.from({ length: workers }, () => usualWorkerPort)]
  const [
    registry = 0,
    registryOperations = 0,
    sender = 0,
    senderOperations = 0,
    simulator = 0,
    apns = 0,
    apnsSandbox = 0,
    fcm = 0,
    postgres = 0,
    redis = 0,
    ...workerPorts
  ] = await freePorts(which === 'usual' ? wanted : wanted.map(() => 0))
  const forServices = { registry, registryOperations, sender, senderOperations }
  const forProviders = { simulator, apns, apnsSandbox, fcm }
  return { ...forServices, ...forProviders, postgres, redis, workers: workerPorts }
}

/** The wanted port of 127.0.0.1 where it is free, else one that is. */
export async function freePort(wanted = 0): Promise<number> {
  const [port] = await freePorts([wanted])
  if (port === undefined) throw new Error('no port')
  return port
}

/** As many different ones, in the same order: all are held until the last is found. */
export async function freePorts(wanted: readonly number[]): Promise<number[]> {
  const servers: Server[] = []
  try {
    for (const port of wanted) {
      servers.push((await tryListen(port)) ?? (await tryListen(0)) ?? noPort())
    }
    return servers.map(portOf)
  } finally {
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  }
}

/** Whether nobody listens on this port of 127.0.0.1. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = await tryListen(port)
  if (server) await new Promise((done) => server.close(done))
  return server !== null
}

function noPort(): never {
  throw new Error('127.0.0.1 has no free port')
}

function tryListen(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : noPort()
}
