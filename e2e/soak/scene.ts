import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalRun, noLimits, type Service, startLocal } from '@pushkeep/local-runner'
import { connect, type Database } from '@pushkeep/store'
import { Redis } from 'ioredis'
import { type Caller, createCaller } from './caller.ts'

/** An installation of its own, and the ways to use and to watch it. */
export interface Scene extends AsyncDisposable {
  database: Database
  registry: Caller
  sender: Caller
  /** null: the queues are in PostgreSQL. */
  redis: Redis | null
  /** Process ids by name. Those of a test double are not judged. */
  pids: Record<string, number>
  simulator(method: string, path: string, body?: unknown): Promise<unknown>
  /** Lines of errors and news of deaths. */
  news: string[]
}

/** What the simulator remembers of each push grows with their number: it is no part of the product. */
export const notJudged = new Set(['simulator', 'postgres'])

// A small heap, collected now and then: memory that is not given back shows within minutes.
const collected = {
  NODE_OPTIONS: `--max-old-space-size=128 --max-semi-space-size=4 --import ${import.meta.resolve('./collect.ts')}`,
}

export async function openScene(backend: 'postgres' | 'redis'): Promise<Scene> {
  const directory = await mkdtemp(join(tmpdir(), 'pushkeep-soak-'))
  const news: string[] = []
  const running = await startLocal({
    directory,
    workers: 2,
    logLevel: 'warn',
    journal: 'count',
    restart: false,
    withRedis: backend === 'redis',
    env: {
      registry: { ...collected, ...noLimits },
      sender: { ...collected, ...noLimits },
      workers: collected,
    },
    onNews: (text) => void news.push(text),
    onLine: (name, line) => {
      if (/"level":"(error|fatal)"/.test(line) && news.length < 100) news.push(`${name}: ${line}`)
    },
  })
  const { local } = running
  const database = connect({ url: local.database_url, name: 'soak', connectionsMax: 4 })
  const redis = running.redisUrl === null ? null : new Redis(running.redisUrl)
  redis?.on('error', (error) => void news.push(error.message))
  const registry = createCaller(local.registry_url, local.secret_key)
  const sender = createCaller(local.sender_url, local.secret_key)
  const simulated = createCaller(local.simulator_url, '')
  return {
    database,
    registry,
    sender,
    redis,
    pids: pidsOf(running),
    news,
    async simulator(method, path, body) {
      const reply = await simulated.call(method, path, body)
      if (reply.status >= 300) throw new Error(`the simulator answered ${reply.status}`)
      return reply.body
    },
    async [Symbol.asyncDispose]() {
      for (const caller of [registry, sender, simulated]) caller.close()
      redis?.disconnect()
      await database.end()
      await running.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function pidsOf({ registry, sender, workers, simulator, postgres, redis }: LocalRun) {
  const named: [name: string, service: Service | null | undefined][] = [
    ['registry', registry],
    ['sender', sender],
    ...workers.map((service, index): [string, Service] => [`workers-${index + 1}`, service]),
    ['redis', redis],
    ['postgres', postgres],
    ['simulator', simulator],
  ]
  const pids: Record<string, number> = {}
  for (const [name, service] of named) {
    const pid = service?.child && serverPid(service.child.ready, service.child.pid)
    if (pid) pids[name] = pid
  }
  return pids
}

/** Of a process that only guards a server, the server's. */
function serverPid(ready: Record<string, unknown>, pid: number): number {
  return typeof ready.pid === 'number' ? ready.pid : pid
}
