import { rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '@pushkeep/local-runner'
import { Redis } from 'ioredis'
import { wipeQueue as wipePostgres } from './wipe-queue.ts'
import { pidOf, type World } from './world.ts'

/** One kind of fault: brings it about, and ends it. */
export interface Fault {
  kind: string
  strike(world: World): Promise<void>
}

function isRunning(service: Service): boolean {
  return service.child !== null && service.child.process.exitCode === null
}

/** Ends a process without a word and starts it again. */
async function killAndRestart(service: Service, awayMs = 0): Promise<void> {
  const pid = pidOf(service)
  const { child } = service
  if (pid === null || !child || !isRunning(service)) return
  process.kill(pid, 'SIGKILL')
  await child.exited
  await sleep(awayMs)
  await startAgain(service)
}

/** PostgreSQL's children take a moment to go after a kill, and hold its lock until then. */
async function startAgain(service: Service): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await service.start()
      return
    } catch (error) {
      if (tries >= 20) throw error
      await sleep(500)
    }
  }
}

async function freeze(service: Service, ms: number): Promise<void> {
  const pid = pidOf(service)
  if (pid === null) return
  process.kill(pid, 'SIGSTOP')
  try {
    await sleep(ms)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}

function needed(service: Service | null): Service {
  if (!service) throw new Error('there is no such process in this world')
  return service
}

/** How long a push may have been in flight when a fault took its answer away, in ms. */
const inFlightMs = 500

export const killWorker: Fault = {
  kind: 'SIGKILL worker',
  strike({ run, random, doubts }) {
    const killedAt = Date.now()
    // What was on the wire arrives a moment later.
    doubts.push({ from: killedAt - inFlightMs, until: killedAt + 100 })
    return killAndRestart(random.pick(run.workers))
  },
}

export const killRegistry: Fault = {
  kind: 'SIGKILL token-registry',
  strike: ({ run, random }) => killAndRestart(random.pick(run.registries).service),
}

export const killSender: Fault = {
  kind: 'SIGKILL push-sender',
  strike: ({ run, random }) => killAndRestart(random.pick(run.senders).service),
}

export const killPostgres: Fault = {
  kind: 'SIGKILL PostgreSQL',
  strike: ({ run }) => killAndRestart(needed(run.postgres)),
}

export const killRedis: Fault = {
  kind: 'SIGKILL Redis',
  strike: ({ run }) => killAndRestart(needed(run.redis)),
}

export const freezeRedis: Fault = {
  kind: 'Redis frozen',
  strike: ({ run, random }) => freeze(needed(run.redis), random.int(1000, 5000)),
}

/** Redis is down for so long, and comes back with what it had written. */
export function redisAway(ms: number): Fault {
  return {
    kind: `Redis away for ${ms / 1000} s`,
    strike: ({ run }) => killAndRestart(needed(run.redis), ms),
  }
}

/** Everything that the queue knows is gone; what was accepted is not. */
export const wipeQueue: Fault = {
  kind: 'queue wiped',
  async strike({ run, backend }) {
    if (backend === 'redis') {
      const redis = new Redis(run.redisUrl ?? '')
      await redis.flushall()
      redis.disconnect()
      return
    }
    await wipePostgres(run.local.database_url)
  },
}

/** A rolling restart of one process: it drains, ends, and comes again. */
export const restart: Fault = {
  kind: 'SIGTERM restart',
  async strike({ run, random }) {
    const services = [...run.registries, ...run.senders].map(({ service }) => service)
    const service = random.pick([...run.workers, ...services])
    await service.stop()
    await startAgain(service)
  },
}

/** A state of the simulator for a while, that takes connections away: their answers are in doubt. */
function disconnecting(kind: string, faults: object, ms: number): Fault {
  const { strike } = provider(kind, faults, ms)
  return {
    kind,
    async strike(world) {
      const from = Date.now() - inFlightMs
      await strike(world)
      world.doubts.push({ from, until: Date.now() })
    },
  }
}

/** A state of the simulator for a while. */
function provider(kind: string, faults: object, ms = 800): Fault {
  return {
    kind,
    async strike(world) {
      await world.simulator('PUT', '/faults', { apns: faults, fcm: faults })
      await sleep(ms)
      await world.simulator('DELETE', '/faults')
    },
  }
}

export const goaway: Fault = {
  kind: 'GOAWAY',
  async strike(world) {
    await world.simulator('POST', '/goaway', { provider: world.random.pick(['apns', 'fcm']) })
  },
}

export const goawayEvery = provider('GOAWAY every 50 requests', { goaway_every: 50 })
export const goawayUnprocessed = provider('GOAWAY with unprocessed streams', {
  goaway_every: 40,
  goaway_unprocessed: 10,
})
export const refusedStreams = provider('REFUSED_STREAM', { refuse_streams: 20 }, 300)
export const fewStreams = provider('MAX_CONCURRENT_STREAMS lowered', { max_concurrent_streams: 3 })
export const slow = provider('slow answers', { delay_ms: 300 }, 1000)
export const unavailable = provider('503 for a share', {
  status: { status: 503, reason: 'ServiceUnavailable', share: 0.3 },
})
export const refused = disconnecting('connection refused', { refuse: true }, 1500)
export const untrusted = disconnecting('certificate not trusted', { untrusted: true }, 1500)
export const throttled = provider('429 for a share', {
  status: { status: 429, reason: 'TooManyRequests', share: 0.2, retry_after_s: 1 },
})
export const silent = disconnecting('silent connection', { silent: true }, 7000)

const connectionsLost = disconnecting('connections lost', { refuse: true }, 0)

/** Connections end, and new ones find no address. */
export const nameLost: Fault = {
  kind: 'DNS failure',
  async strike(world) {
    await writeFile(world.noNamesFile, '')
    try {
      await connectionsLost.strike(world)
      await sleep(2000)
    } finally {
      await rm(world.noNamesFile)
    }
  },
}
