import type { ReceiptEvent } from '@pushkeep/domain'
import { type CoalescedRun, coalesce } from './coalesce.ts'
import { type Database, type Sql, withRepeat } from './connect.ts'
import { eventBit, eventBits } from './receipt-codes.ts'
import { tokenHash } from './token-hash.ts'

/** What a phone tells of one delivery: a message and the token that it came to. */
export interface Receipt {
  workspaceNo: number
  /** Only a device of this app; null: of any of the workspace. */
  appNo: number | null
  /** UUID. */
  messageId: string
  token: string
  event: ReceiptEvent
  /** When it happened, ms since the epoch; null is now. */
  at: number | null
}

/**
 * What became of a receipt. `taken`: it counts, or did before, or will once the outcome of the
 * delivery is on record. `unknown`: no message of this id went, or goes, to this token.
 */
export type ReceiptVerdict = 'taken' | 'unknown'

// The time of each event, from a row with `events` and `at`.
const timeOf = (event: ReceiptEvent) => `min(at) filter (where events & ${eventBit[event]} > 0)`
const earliest = (own: string) =>
  ['delivered_at', 'opened_at', 'clicked_at', 'converted_at']
    .map((column) => `least(${own}.${column}, excluded.${column})`)
    .join(', ')
const times = 'delivered_at, opened_at, clicked_at, converted_at'

// Rows of CTE `known` become receipts, and what is new of them is counted: an event of a delivery
// once, however often and in whatever order it is told. A repeat that says nothing new writes
// nothing. Keys are locked in order, receipts before counts, so that no two batches wait in a circle.
const keep = `
  kept as (
    insert into receipts as r (message_no, device_no, events, news, ${times})
    select message_no, device_no, events, events, ${times} from known
    order by message_no, device_no
    on conflict (message_no, device_no) do update
    set events = r.events | excluded.events, news = excluded.events & ~r.events,
        (${times}) = row(${earliest('r')})
    where excluded.events & ~r.events > 0
       or (${earliest('r')}) is distinct from (r.delivered_at, r.opened_at, r.clicked_at, r.converted_at)
    returning message_no, news
  ), counted as (
    insert into receipt_counts as c (message_no, delivered, opened, clicked, converted)
    select message_no, count(*) filter (where news & ${eventBit.delivered} > 0),
           count(*) filter (where news & ${eventBit.opened} > 0),
           count(*) filter (where news & ${eventBit.clicked} > 0),
           count(*) filter (where news & ${eventBit.converted} > 0)
    from kept where news > 0 group by message_no order by message_no
    on conflict (message_no) do update
    set delivered = c.delivered + excluded.delivered, opened = c.opened + excluded.opened,
        clicked = c.clicked + excluded.clicked, converted = c.converted + excluded.converted
  )`

/** Whether a message `m` may still get deliveries. */
const isOpen = `(m.planned_at is null or exists (
  select from message_counts c where c.message_no = m.message_no
    and c.recipients > c.sent + c.bounced + c.suppressed + c.failed + c.expired))`

// A token may stand in several apps: the one that the message went to is meant, then the one where
// it lives. A phone's clock does not count before the message or after now. Lookups are lateral, so
// that each goes by index.
const takeText = `
  with given as materialized (
    select * from json_to_recordset($1) as g(
      n int, workspace_no int, app_no int, message_id uuid, token_hash uuid, events smallint,
      at_ms float8)
  ), found as materialized (
    select g.n, g.events, m.message_no, d.device_no, d.is_known,
           greatest(m.begun_at, m.created_at, least(coalesce(to_timestamp(g.at_ms / 1000), now()), now())) as at
    from given g
    cross join lateral (
      select message_no, workspace_no, app_no, created_at, begun_at, planned_at from messages
      where id = g.message_id and workspace_no = g.workspace_no limit 1) m
    cross join lateral (
      select d.device_no, k.is_known
      from apps a
      join devices d on d.app_no = a.app_no and d.token_hash = g.token_hash
      cross join lateral (select exists (
        select from deliveries dl
        where dl.message_no = m.message_no and dl.device_no = d.device_no) as is_known) k
      where a.workspace_no = m.workspace_no and (m.app_no is null or a.app_no = m.app_no)
        and (g.app_no is null or a.app_no = g.app_no)
      order by k.is_known desc, d.deleted_at is null desc, d.app_no limit 1) d
    where d.is_known or ${isOpen}
  ), merged as materialized (
    select message_no, device_no, bool_or(is_known) as is_known,
           bit_or(events) as events, min(at) as delivered_at, ${timeOf('opened')} as opened_at,
           ${timeOf('clicked')} as clicked_at, ${timeOf('converted')} as converted_at
    from found group by message_no, device_no
  ), early as (
    insert into early_receipts as e (message_no, device_no, events, ${times})
    select message_no, device_no, events, ${times} from merged where not is_known
    order by message_no, device_no
    on conflict (message_no, device_no) do update
    set events = e.events | excluded.events, (${times}) = row(${earliest('e')})
  ), known as (
    select * from merged where is_known
  ), ${keep}
  select n from found`

async function takeAll(sql: Sql, receipts: readonly Receipt[]): Promise<ReceiptVerdict[]> {
  const given = receipts.map((receipt, n) => ({
    n,
    workspace_no: receipt.workspaceNo,
    app_no: receipt.appNo,
    message_id: receipt.messageId,
    token_hash: tokenHash(receipt.token),
    events: eventBits(receipt.event),
    at_ms: receipt.at,
  }))
  const { rows } = await sql.query<{ n: number }>({
    name: 'take-receipts',
    text: takeText,
    values: [JSON.stringify(given)],
  })
  const taken = new Set(rows.map((row) => row.n))
  return receipts.map((_, n) => (taken.has(n) ? 'taken' : 'unknown'))
}

/** Takes receipts. Concurrent calls share statements; what it says is committed. */
export function createReceiptTaker(
  database: Database,
  onRun: (run: CoalescedRun) => void = () => {},
): (receipt: Receipt) => Promise<ReceiptVerdict> {
  return coalesce<Receipt, ReceiptVerdict>({
    run: (receipts) => withRepeat(() => takeAll(database, receipts)),
    sizeMax: 500,
    runsMax: 2,
    waitingMax: 10_000,
    onRun,
  })
}

/** Where a walk through the early receipts stands. */
export interface EarlyReceiptPlace {
  messageNo: string
  deviceNo: string
}

const settleText = `
  with early as materialized (
    select e.*,
           exists (select from deliveries dl where dl.message_no = e.message_no
                     and dl.device_no = e.device_no) as is_known,
           coalesce((select not ${isOpen} from messages m where m.message_no = e.message_no), true)
             as is_over
    from early_receipts e
    where (e.message_no, e.device_no) > ($1::bigint, $2::bigint)
    order by e.message_no, e.device_no limit $3 for update of e skip locked
  ), gone as (
    delete from early_receipts e using early
    where e.message_no = early.message_no and e.device_no = early.device_no
      and (early.is_known or early.is_over)
  ), known as (
    select * from early where is_known
  ), ${keep}
  select message_no::text as "messageNo", device_no::text as "deviceNo" from early
  order by message_no, device_no`

/**
 * Settles up to `limit` receipts that came before their delivery's outcome: those whose outcome is
 * on record by now count, those of messages that ended without one go. Returns where to go on, null
 * at the end: what can be neither stays, and must not keep the rest waiting.
 */
export async function settleEarlyReceipts(
  sql: Sql,
  after: EarlyReceiptPlace | null,
  limit: number,
): Promise<EarlyReceiptPlace | null> {
  const { rows } = await sql.query<EarlyReceiptPlace>({
    name: 'settle-early-receipts',
    text: settleText,
    values: [after?.messageNo ?? '0', after?.deviceNo ?? '0', limit],
  })
  return rows.length === limit ? (rows.at(-1) ?? null) : null
}
