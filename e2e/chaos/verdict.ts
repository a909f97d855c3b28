import { setTimeout as sleep } from 'node:timers/promises'
import type { Doubt, World } from './world.ts'

/** What a scene came to. All but `recorded` must be 0, and `doubled` within its scene's bound. */
export interface Verdict {
  accepted: number
  recorded: number
  /** Accepted, and neither recorded nor expired; or recorded as sent and never seen by the provider. */
  lost: number
  /** Accepted by the provider more than once. */
  doubled: number
  /** Doubled with another apns-id or collapse id: it would ring twice. */
  beyondCollapse: number
  /** Doubled though the first was not in flight when a fault left such pushes in doubt. */
  withoutCause: number
  /** How far, in ms, each of those was from the nearest time of doubt; below 0: before it. */
  fromDoubt: number[]
  wrongPerson: number
  wrongStatus: number
  /** Messages whose counts do not add up. */
  unbalanced: number
  arrived: number
  /** Times in which faults left pushes in doubt. */
  doubts: number
  /** Why lanes are paused: none of the faults is one of configuration. */
  paused: string[]
}

interface Arrival {
  seq: number
  at: number
  token: string
  apns_id: string | null
  collapse_id: string | null
  accepted: boolean
}

/** How long a push may be on its way between the claim and the wire, in ms. */
const onItsWayMs = 2000

/** Waits until nothing is pending, then holds the ledger against the simulator's journal. */
export async function judge(world: World, settleMs: number): Promise<Verdict> {
  await settled(world, settleMs)
  const arrivals = await acceptedArrivals(world)
  const ledger = await readLedger(world)
  const byDelivery = Map.groupBy(arrivals, (a) => `${a.collapse_id} ${a.token}`)
  const repeats = [...byDelivery.values()].filter((same) => same.length > 1)
  const fromDoubt = repeats.map((same) => msFromDoubt(world, same)).filter((ms) => ms !== 0)
  return {
    accepted: world.accepted.size,
    recorded: ledger.deliveries.length,
    lost: countLost(world, ledger, byDelivery),
    doubled: repeats.reduce((sum, same) => sum + same.length - 1, 0),
    beyondCollapse: repeats.filter((same) => new Set(same.map((a) => a.apns_id)).size > 1).length,
    withoutCause: fromDoubt.length,
    fromDoubt,
    wrongPerson: countWrongPerson(world, arrivals),
    wrongStatus: await countWrongStatus(world),
    unbalanced: ledger.messages.filter((message) => message.isOff).length,
    arrived: arrivals.length,
    doubts: world.doubts.length,
    paused: ledger.paused,
  }
}

async function settled(world: World, settleMs: number): Promise<void> {
  const deadline = Date.now() + settleMs
  while (Date.now() < deadline) {
    const { rows } = await world.database.query<{ open: number }>(
      `select (select count(*) from chunks where state <> 'done')
            + (select count(*) from messages where planned_at is null) as open`,
    )
    if (Number(rows[0]?.open) === 0) return
    await sleep(200)
  }
}

async function acceptedArrivals(world: World): Promise<Arrival[]> {
  const accepted: Arrival[] = []
  for (let after = 0; ; ) {
    const page = (await world.simulator('GET', `/received?limit=5000&after=${after}`)) as Arrival[]
    const last = page.at(-1)
    if (!last) return accepted
    after = last.seq
    for (const { seq, at, token, apns_id, collapse_id, accepted: isAccepted } of page) {
      if (isAccepted) accepted.push({ seq, at, token, apns_id, collapse_id, accepted: true })
    }
  }
}

interface Ledger {
  /** `isOff`: something is pending, or the counts are not those of the deliveries. */
  messages: { id: string; recipients: number; pending: number; isOff: boolean }[]
  deliveries: { id: string; token: string | null; status: number; reason: string | null }[]
  paused: string[]
}

async function readLedger(world: World): Promise<Ledger> {
  const messages = await world.database.query<Ledger['messages'][number]>(
    `select m.id, c.recipients::int, p.pending::int,
            p.pending <> 0 or d.rows <> c.recipients
              or (d.sent, d.bounced, d.suppressed, d.failed, d.expired)
                 <> (c.sent, c.bounced, c.suppressed, c.failed, c.expired) as "isOff"
     from messages m
     join message_counts c using (message_no)
     cross join lateral (
       select c.recipients - c.sent - c.bounced - c.suppressed - c.failed - c.expired as pending) p
     cross join lateral (
       select count(*) as rows, count(*) filter (where status = 1) as sent,
              count(*) filter (where status = 2) as bounced,
              count(*) filter (where status = 3) as suppressed,
              count(*) filter (where status = 4) as failed,
              count(*) filter (where status = 5) as expired
       from deliveries where message_no = m.message_no) d`,
  )
  const deliveries = await world.database.query<Ledger['deliveries'][number]>(
    `select m.id, d.token, dl.status, dl.reason
     from deliveries dl join messages m using (message_no) left join devices d using (device_no)`,
  )
  const paused = await world.database.query<{ reason: string }>(
    `select provider || ': ' || pause_reason as reason from app_providers where paused_at is not null`,
  )
  return {
    messages: messages.rows,
    deliveries: deliveries.rows,
    paused: paused.rows.map(({ reason }) => reason),
  }
}

function countLost(world: World, ledger: Ledger, arrived: Map<string, Arrival[]>): number {
  const known = new Map(ledger.messages.map((message) => [message.id, message]))
  let lost = 0
  for (const [id, { recipients }] of world.accepted) {
    const message = known.get(id)
    if (!message) lost += recipients ?? 1
    else {
      lost += Math.max(0, message.pending)
      if (recipients !== null) lost += Math.max(0, recipients - message.recipients)
    }
  }
  const sent = ledger.deliveries.filter((delivery) => delivery.status === 1)
  return lost + sent.filter(({ id, token }) => token && !arrived.has(`${id} ${token}`)).length
}

/** How far an arrival that was followed by another was from a fault that left it in doubt; 0: none. */
function msFromDoubt({ doubts }: World, same: Arrival[]): number {
  const followed = same.toSorted((a, b) => a.seq - b.seq).slice(0, -1)
  return farthest(followed.map(({ at }) => nearest(doubts.map((doubt) => msOutside(doubt, at)))))
}

function msOutside({ from, until }: Doubt, at: number): number {
  if (at < from) return at - from
  return Math.max(0, at - until)
}

function nearest(distances: number[]): number {
  return distances.toSorted((a, b) => Math.abs(a) - Math.abs(b))[0] ?? Number.POSITIVE_INFINITY
}

function farthest(distances: number[]): number {
  return distances.toSorted((a, b) => Math.abs(b) - Math.abs(a))[0] ?? 0
}

/** A push for A that arrived when somebody else had had the phone for a while. */
function countWrongPerson(world: World, arrivals: Arrival[]): number {
  return arrivals.filter((arrival) => {
    const message = world.accepted.get(arrival.collapse_id ?? '')
    if (!message || message.person === null) return false
    const history = world.owners.get(arrival.token) ?? []
    const before = history.filter((owner) => owner.at < arrival.at - onItsWayMs).at(-1)
    const since = history.filter((owner) => owner.at >= arrival.at - onItsWayMs)
    const owners = [before, ...since].map((owner) => owner?.person)
    return !owners.includes(message.person)
  }).length
}

// A device that was not registered again since its last outcomes must show what they say.
async function countWrongStatus(world: World): Promise<number> {
  const { rows } = await world.database.query<{ wrong: number }>(
    `with last as (
       select distinct on (dl.device_no) dl.device_no, dl.status, dl.reason, dl.at
       from deliveries dl
       where dl.status in (1, 2) or dl.status = 3 and dl.reason not in ('reassigned', 'deleted', 'replaced')
       order by dl.device_no, dl.at desc
     )
     select count(*)::int as wrong
     from last l join devices d using (device_no)
     where d.deleted_at is null and d.registered_at < l.at - interval '3 seconds'
       and (d.last_status <> (array['sent', 'bounced', 'suppressed'])[l.status]
            or (l.status = 2) and d.dead_at is null)`,
  )
  return rows[0]?.wrong ?? 0
}
