import { load } from '../load.ts'
import { measureCpu } from '../processes.ts'
import type { Report } from '../report.ts'
import { type Scene, seedDevices } from '../scene.ts'
import { broadcast } from './broadcast.ts'
import { seedPeople } from './latency.ts'

/** Messages to one person each, as fast as they are taken: from the first to the last recorded. */
export async function onePerson(scene: Scene, report: Report, seed: string): Promise<void> {
  await rate(scene, 3000, `${seed}-warm-up`)
  const { perSecond, acceptedPerSecond, cores } = await rate(scene, 30_000, `${seed}-rate`)
  const isRedis = scene.pids.redis !== undefined
  await report.add({
    figure: 'one-person messages',
    value: perSecond,
    unit: '1/s',
    bar: { least: isRedis ? 3000 : 1500 },
    detail: { acceptedPerSecond, cores },
  })
  const result = await paced(scene, 1000, 10_000, `${seed}-thousand`)
  await report.add({
    figure: 'one-person p99 at 1,000/s',
    value: result.p99Ms,
    unit: 'ms',
    bar: { most: 100 },
    detail: { ...result },
  })
}

async function rate(scene: Scene, count: number, seed: string) {
  const { database } = scene
  await seedPeople(scene, count, seed)
  const { rows } = await database.query<{ n: string }>(
    'select max(message_no)::text as n from messages',
  )
  const after = rows[0]?.n ?? '0'
  const { result, cores } = await measureCpu({ ...scene.pids, load: process.pid }, async () => {
    const accepted = await post(scene, count, seed)
    const seconds = await recorded(scene, after, count)
    return { seconds, acceptedPerSecond: accepted.perSecond }
  })
  return { ...result, perSecond: count / result.seconds, cores }
}

/** Seconds from the first acceptance to the last outcome, once all messages after `after` are sent. */
async function recorded(scene: Scene, after: string, count: number): Promise<number> {
  const deadline = Date.now() + 120_000
  for (;;) {
    const { rows } = await scene.database.query<{ sent: number; seconds: number }>(
      `select sum(sent)::int as sent,
              extract(epoch from max(settled_at) - min(m.created_at))::float8 as seconds
       from messages m join message_counts using (message_no) where message_no > $1`,
      [after],
    )
    const [row] = rows
    if (row?.sent === count) return row.seconds
    if (Date.now() > deadline) throw new Error(`${row?.sent} of ${count} are sent after 2 minutes`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** What messages to one person wait while a broadcast runs, against what they wait without. */
export async function shadow(
  scene: Scene,
  report: Report,
  { devices, seed }: { devices: number; seed: string },
): Promise<void> {
  await seedDevices(scene, devices, seed)
  await paced(scene, 50, 200, `${seed}-warm-up`)
  const idle = await paced(scene, 50, 1000, `${seed}-idle`)
  const name = `${seed}-shadow`
  await seedPeople(scene, 1000, name)
  const { rows } = await scene.database.query<{ n: number }>(
    'select count(*)::int as n from devices',
  )
  const running = broadcast(scene, rows[0]?.n ?? 0)
  const busy = await paced(scene, 50, 1000, name, true)
  const { perSecond } = await running
  await report.add({
    figure: 'one-person p99 in the shadow / idle',
    value: busy.p99Ms / idle.p99Ms,
    unit: '',
    bar: { most: 3 },
    detail: { idle, busy, broadcastPerSecond: perSecond },
  })
}

/**
 * Messages to one person each, at a steady rate: from acceptance to the provider's answer, as the
 * database has both.
 */
export async function paced(
  scene: Scene,
  ratePerSecond: number,
  count: number,
  seed: string,
  isSeeded = false,
): Promise<{ messages: number; p50Ms: number; p99Ms: number }> {
  if (!isSeeded) await seedPeople(scene, count, seed)
  await post(scene, count, seed, ratePerSecond)
  const deadline = Date.now() + 120_000
  for (;;) {
    const { rows } = await scene.database.query<{ messages: number; p50Ms: number; p99Ms: number }>(
      `select count(*)::int as messages,
              percentile_cont(0.5) within group (order by ms) as "p50Ms",
              percentile_cont(0.99) within group (order by ms) as "p99Ms"
       from (select (extract(epoch from d.at - m.created_at) * 1000)::float8 as ms
             from messages m join deliveries d using (message_no)
             where m.audience ->> 'person_id' like $1 and d.status = 1) t`,
      [`${seed}-%`],
    )
    const [row] = rows
    if (row?.messages === count) return row
    if (Date.now() > deadline) throw new Error(`${row?.messages} of ${count} after two minutes`)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

function post(scene: Scene, count: number, seed: string, ratePerSecond?: number) {
  return load({
    url: scene.local.sender_url,
    connections: 64,
    count,
    ratePerSecond,
    headers: {
      authorization: `Bearer ${scene.local.secret_key}`,
      'content-type': 'application/json',
    },
    request: (n) => ({
      method: 'POST',
      path: '/v1/messages',
      body: JSON.stringify({
        to: { person_id: `${seed}-${n}` },
        content: { title: 'Your code', body: '123456' },
      }),
    }),
  })
}
