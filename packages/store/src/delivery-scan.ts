import type { DeliveryStatus, Platform } from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import { statusCode, statusOf } from './delivery-codes.ts'

/** A delivery without its token. */
export interface ScannedDelivery {
  personId: string | null
  /** The fingerprint of the device's token. */
  fingerprint: string | null
  platform: Platform | null
  status: DeliveryStatus
  reason: string | null
  attempts: number
  /** When it was settled; for a pending one, when it is tried again. */
  at: Date
}

export interface DeliveryScan {
  deliveries: ScannedDelivery[]
  /** The device that the next page begins after; null at the end. */
  next: string | null
  /** How many deliveries this page has looked through. */
  lookedThrough: number
}

/** Most deliveries that one page looks through: a status may be rare among a million. */
const lookedThroughMax = 20_000

interface Row extends Omit<ScannedDelivery, 'status'> {
  deviceNo: string
  status: number
}

interface Answer {
  rows: Row[] | null
  seen: number
  last: string | null
}

// The condition says nothing about `seen`, so that what is looked through is bounded whatever is found.
const scanText = `
  with seen as materialized (
    select device_no, person_no, at, status, attempts, reason from deliveries
    where message_no = $1 and device_no > $2
    order by device_no limit ${lookedThroughMax}
  ), found as (
    select * from seen where $3::smallint is null or status = $3 order by device_no limit $4
  )
  select (
    select json_agg(json_build_object(
      'deviceNo', f.device_no::text, 'personId', p.id,
      'fingerprint', replace(d.token_hash::text, '-', ''), 'platform', d.platform,
      'status', f.status, 'reason', f.reason, 'attempts', f.attempts, 'at', f.at)
      order by f.device_no)
    from found f
    left join people p on p.person_no = f.person_no
    left join lateral (
      select token_hash, platform from devices
      where app_no = any($5) and device_no = f.device_no and deleted_at is null limit 1) d on true
  ) as rows,
  (select count(*)::int from seen) as seen, (select max(device_no)::text from seen) as last`

/** A page of a message's deliveries in order of devices, of one status or of all. */
export async function scanDeliveries(
  sql: Sql,
  page: {
    messageNo: string
    appNos: readonly number[]
    status: DeliveryStatus | null
    after: string | null
    limit: number
  },
): Promise<DeliveryScan> {
  const { rows } = await sql.query<Answer>({
    name: 'scan-deliveries',
    text: scanText,
    values: [
      page.messageNo,
      page.after ?? '0',
      page.status === null ? null : statusCode[page.status],
      page.limit + 1,
      page.appNos,
    ],
  })
  const [answer] = rows
  const found = answer?.rows ?? []
  const shown = found.slice(0, page.limit)
  const seen = answer?.seen ?? 0
  const atEnd = seen < lookedThroughMax ? null : (answer?.last ?? null)
  return {
    deliveries: shown.map(({ deviceNo: _, status, at, ...row }) => ({
      ...row,
      status: statusOf(status),
      at: new Date(at),
    })),
    next: found.length > page.limit ? (shown.at(-1)?.deviceNo ?? null) : atEnd,
    lookedThrough: seen,
  }
}
