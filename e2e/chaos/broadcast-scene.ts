import { setTimeout as sleep } from 'node:timers/promises'
import { killWorker } from './faults.ts'
import { send } from './load.ts'
import type { RunOptions } from './run.ts'
import { judge } from './verdict.ts'
import { openWorld, type World } from './world.ts'

const devices = 40_000
const answerMs = 20

/** 40,000 devices, answers of 20 ms, a fifth dead, workers killed: each is accounted for, once. */
export async function broadcastScene({ seed, backend, print }: RunOptions): Promise<boolean> {
  const world = await openWorld(seed + 100, backend)
  try {
    await seedDevices(world)
    await world.simulator('PUT', '/faults', { apns: { delay_ms: answerMs } })
    const began = performance.now()
    const id = await send(world, 'all', devices)
    for (let kills = 0; kills < 8; kills += 1) {
      await sleep(300 + world.random.int(500))
      await killWorker.strike(world)
    }
    const verdict = await judge(world, 120_000)
    const seconds = (performance.now() - began) / 1000
    const url = `${world.run.local.sender_url}/v1/messages/${id}`
    const { counts } = (await world.call('GET', url)) as {
      counts: { sent: number; bounced: number; pending: number }
    }
    const ok =
      verdict.lost + verdict.beyondCollapse + verdict.wrongStatus === 0 &&
      verdict.doubled <= devices * 0.001 &&
      counts.sent === devices * 0.8 &&
      counts.bounced === devices * 0.2
    print(`\nbroadcast of ${devices}, a fifth dead, ${answerMs} ms: ${ok ? 'well' : 'NOT WELL'}`)
    print(`  sent ${counts.sent}, bounced ${counts.bounced}, pending ${counts.pending}`)
    print(
      `  lost: ${verdict.lost}, doubled: ${verdict.doubled}, beyond collapse: ${verdict.beyondCollapse}`,
    )
    print(`  statuses wrong: ${verdict.wrongStatus}; ${seconds.toFixed(1)} s with 8 kills`)
    return ok
  } finally {
    await world.close()
  }
}

/** Stored at once; every fifth is unknown to the provider since a second from now. */
async function seedDevices(world: World): Promise<void> {
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
  await world.simulator(
    'PUT',
    '/tokens',
    rows.map(({ token }) => ({ token, behaviour: { kind: 'unregistered', since } })),
  )
  await sleep(300)
}
