import { setTimeout as sleep } from 'node:timers/promises'
import { killWorker } from './faults.ts'
import { send } from './load.ts'
import type { Figure, Scene } from './scene.ts'
import type { World } from './world.ts'

const answerMs = 20

/** Many devices, a fifth of them dead, answers of 20 ms: each is accounted for. */
export function broadcastScene(devices: number): Scene {
  return {
    name: `broadcast to ${devices}, a fifth dead, ${answerMs} ms`,
    doubledMax: { share: 0 },
    async play(world) {
      const id = await begin(world, devices)
      return { injected: {}, figures: await results(world, id, devices) }
    },
  }
}

/**
 * The same while workers are killed, spread over its course. What a killed one had in flight is in
 * doubt and comes twice: so many pushes a kill, however large the broadcast.
 */
export function killedBroadcastScene(devices: number, kills: number): Scene {
  return {
    name: `broadcast to ${devices}, a fifth dead, ${answerMs} ms, under kill -9`,
    doubledMax: { share: 0.001 },
    async play(world) {
      const id = await begin(world, devices)
      for (let kill = 1; kill <= kills; kill += 1) {
        await reached(world, id, (devices * kill) / (kills + 1))
        await killWorker.strike(world)
      }
      const injected = { [killWorker.kind]: kills }
      return { injected, figures: await results(world, id, devices) }
    },
  }
}

async function begin(world: World, devices: number): Promise<string> {
  await seedDevices(world, devices)
  await world.simulator('PUT', '/faults', { apns: { delay_ms: answerMs } })
  return send(world, 'all', devices)
}

interface Counts {
  sent: number
  bounced: number
  pending: number
}

async function countsOf(world: World, id: string): Promise<Counts> {
  const answer = await world.calls.sender({ method: 'GET', path: `/v1/messages/${id}` })
  return (answer as { counts: Counts }).counts
}

async function reached(world: World, id: string, settled: number): Promise<void> {
  for (;;) {
    const { sent, bounced } = await countsOf(world, id)
    if (sent + bounced >= settled) return
    await sleep(50)
  }
}

async function results(world: World, id: string, devices: number): Promise<Figure[]> {
  await reached(world, id, devices)
  const { sent, bounced, pending } = await countsOf(world, id)
  return [
    {
      name: 'sent, bounced, pending',
      value: `${sent}, ${bounced}, ${pending}`,
      isWell: sent === devices * 0.8 && bounced === devices * 0.2 && pending === 0,
    },
  ]
}

const tokensAtOnce = 10_000

/** Stored at once; every fifth is unknown to the provider since a moment from now. */
async function seedDevices(world: World, devices: number): Promise<void> {
  await world.database.query(
    `insert into devices (app_no, token_hash, token, platform, provider, last_used,
                          registered_at, ordered_at)
     select (select app_no from apps where id = $1),
            substr(encode(sha256(convert_to(token, 'UTF8')), 'hex'), 1, 32)::uuid, token,
            'ios', 'apns', 0, now(), now()
     from (select encode(sha256(convert_to('broadcast ' || i, 'UTF8')), 'hex') as token
           from generate_series(1, $2::int) i) t`,
    [world.run.local.app_id, devices],
  )
  await world.database.query('vacuum analyze devices')
  const { rows } = await world.database.query<{ token: string }>(
    'select token from devices where device_no % 5 = 0',
  )
  const since = Date.now() + 200
  const behaviour = { kind: 'unregistered', since }
  for (let from = 0; from < rows.length; from += tokensAtOnce) {
    const dead = rows.slice(from, from + tokensAtOnce).map(({ token }) => ({ token, behaviour }))
    await world.simulator('PUT', '/tokens', dead)
  }
  await sleep(Math.max(0, since + 100 - Date.now()))
}
