import { setTimeout as wait } from 'node:timers/promises'
import type { Random } from '../random.ts'
import { type Figure, figure } from './figures.ts'
import type { Phones } from './phones.ts'
import type { Scene } from './scene.ts'
import type { Watch } from './watch.ts'

interface Ledger {
  messages: number
  unplanned: number
  unbalanced: number
  pending: number
  sent: number
  chunks: number
  doorbells: number
}

/** Retries wait for up to half a minute, and each may be put off again. */
const settleMs = 180_000
const phonesAsked = 300

/** When the load has ended: whether everything accepted was done, once. */
export async function reckon(
  scene: Scene,
  watch: Watch,
  phones: Phones,
  random: Random,
): Promise<Figure[]> {
  const began = performance.now()
  let ledger = await readLedger(scene)
  while (isOpen(ledger) && performance.now() - began < settleMs) {
    await wait(250)
    ledger = await readLedger(scene)
  }
  const settledMs = performance.now() - began
  const received = (await scene.simulator('GET', '/received/count')) as {
    accepted: number
    duplicates: number
  }
  const none = (name: string, value: number) => figure(name, Math.abs(value), '', 0)
  return [
    figure('time to settle', settledMs / 1000, 's', settleMs / 1000),
    none('accepted messages that are not stored', watch.messages - ledger.messages),
    none('messages that are not planned', ledger.unplanned),
    none('messages whose counts do not add up', ledger.unbalanced),
    none('deliveries still pending', ledger.pending),
    none('chunks and doorbells left', ledger.chunks + ledger.doorbells),
    none(
      'pushes received but not recorded as sent, or the reverse',
      received.accepted - ledger.sent,
    ),
    none('duplicates at the simulator', received.duplicates),
    none(
      'devices with another owner than they should have',
      await strangers(scene, phones, random),
    ),
    none('unexpected answers', watch.surprises.count),
    none('deaths and errors of processes', scene.news.length),
  ]
}

function isOpen({ unplanned, pending, chunks, doorbells }: Ledger): boolean {
  return unplanned + pending + chunks + doorbells > 0
}

async function readLedger({ database }: Scene): Promise<Ledger> {
  const { rows } = await database.query<Ledger>(
    `select (select count(*)::int from messages) as messages,
            (select count(*)::int from messages where planned_at is null) as unplanned,
            (select count(*)::int from message_counts
             where recipients < sent + bounced + suppressed + failed + expired) as unbalanced,
            (select coalesce(sum(recipients - sent - bounced - suppressed - failed - expired), 0)::int
             from message_counts) as pending,
            (select coalesce(sum(sent), 0)::int from message_counts) as sent,
            (select count(*)::int from chunks where state <> 'done') as chunks,
            (select count(*)::int from outbox) as doorbells`,
  )
  const [ledger] = rows
  if (!ledger) throw new Error('the database says nothing of its messages')
  return ledger
}

/** How many of some phones belong to somebody else than their last registration said. */
async function strangers({ registry }: Scene, phones: Phones, random: Random): Promise<number> {
  let wrong = 0
  for (let asked = 0; asked < phonesAsked; asked += 1) {
    const { token, person } = random.pick(phones.all)
    const { status, body } = await registry.call('GET', `/v1/devices/${encodeURIComponent(token)}`)
    const owner = status === 200 ? (body as { person_id: string | null }).person_id : undefined
    if (owner !== person) wrong += 1
  }
  return wrong
}
