import { setTimeout as sleep } from 'node:timers/promises'
import type { CallRecord } from './calls.ts'
import { redisAway } from './faults.ts'
import { gather, startLoad } from './load.ts'
import type { Figure, Scene } from './scene.ts'
import type { World } from './world.ts'

/** The queue's server is down for minutes: whoever calls does not notice. */
export function redisAwayScene(seconds: number): Scene {
  const fault = redisAway(seconds * 1000)
  return {
    name: `Redis away for ${seconds} s`,
    doubledMax: { share: 0 },
    repeatsMax: 0,
    backend: 'redis',
    async play(world) {
      const crowd = await gather(world, 'redis-away', 200)
      const load = startLoad(world, crowd, 40)
      await sleep(5000)
      const since = Date.now()
      await fault.strike(world)
      const until = Date.now()
      await load.stop()
      const { records } = world.calls
      const during = records.filter(({ at }) => at >= since && at < until)
      return {
        injected: { [fault.kind]: 1 },
        figures: [
          callFigure(
            'before',
            records.filter(({ at }) => at < since),
          ),
          callFigure('while Redis was away', during),
        ],
      }
    },
  }
}

/** Slowest answer while something that no call needs is away, in ms. */
const slowestMs = 2000

function callFigure(when: string, records: CallRecord[]): Figure {
  const sorted = records.map(({ ms }) => ms).toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
  return {
    name: `calls ${when}`,
    value: `${sorted.length}, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, at most ${at(1)} ms`,
    isWell: sorted.length > 0 && at(1) < slowestMs,
  }
}

/** One provider is gone for minutes: its pushes wait, the other's go on, and nobody runs in circles. */
export function outageScene(seconds: number): Scene {
  return {
    name: `APNs away for ${seconds} s`,
    doubledMax: { share: 0 },
    async play(world) {
      const crowd = await gather(world, 'outage', 200)
      const load = startLoad(world, crowd, 20)
      await sleep(3000)
      await world.simulator('PUT', '/faults', { apns: { refuse: true } })
      const before = await attempts(world)
      const since = new Date()
      await sleep(seconds * 1000)
      const made = (await attempts(world)) - before
      const until = new Date(Date.now() - promptSeconds * 1000)
      await world.simulator('DELETE', '/faults')
      await load.stop()
      const others = await otherProvider(world, since, until)
      return {
        injected: { 'APNs away': 1 },
        figures: [
          {
            name: `pushes by FCM meanwhile, recorded within ${promptSeconds} s`,
            value: `${others.prompt} of ${others.all}`,
            isWell: others.all > 0 && others.prompt === others.all,
          },
          {
            name: 'attempts to reach APNs',
            value: `${made} (${world.run.workers.length} workers)`,
            isWell: made <= attemptsMax(world, seconds),
          },
        ],
      }
    },
  }
}

const promptSeconds = 5

/** A few at first, then at most one each two seconds for each worker. */
function attemptsMax(world: World, seconds: number): number {
  return world.run.workers.length * (10 + seconds / 2)
}

async function attempts(world: World): Promise<number> {
  const counters = (await world.simulator('GET', '/counters')) as {
    apns: { connects: number; refused_connections: number }
  }
  return counters.apns.connects + counters.apns.refused_connections
}

async function otherProvider(world: World, since: Date, until: Date) {
  const { rows } = await world.database.query<{ all: number; prompt: number }>(
    `select count(*)::int as all,
            count(*) filter (where dl.at < m.created_at + make_interval(secs => $3))::int as prompt
     from messages m
     join chunks c using (message_no) cross join unnest(c.device_nos) as u(device_no)
     left join deliveries dl using (message_no, device_no)
     where c.provider = 'fcm' and not c.is_retry and m.lane = 'transactional'
       and m.created_at between $1 and $2`,
    [since, until, promptSeconds],
  )
  return rows[0] ?? { all: 0, prompt: 0 }
}
