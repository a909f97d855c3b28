import type { DeliveryStatus, Platform, ReceiptEvent } from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import { statusCode, statusOf } from './delivery-codes.ts'
import { aboveAll, parameterOr } from './secure-conditions.ts'

/** One message to one device, as it is reported. */
export interface DeliveryReport {
  messageId: string
  personId: string | null
  /** null once the device was deleted. */
  token: string | null
  platform: Platform | null
  status: DeliveryStatus
  reason: string | null
  attempts: number
  /** When it was settled; for a pending one, when it is tried again. */
  at: Date
  /** When the phone saw each event; null where it told of none. */
  receipts: Record<ReceiptEvent, Date | null>
}

export interface DeliveryPage {
  deliveries: DeliveryReport[]
  /** Where the next page begins; null at the end. */
  next: string | null
}

/** A delivery as it is selected. */
export interface DeliveryRow
  extends Omit<DeliveryReport, 'status' | 'receipts'>,
    Record<ReceiptEvent, Date | null> {
  status: number
}

interface Row extends DeliveryRow {
  cursor: string
}

/** The select list of a delivery `dl` of a message `m`. */
export const deliveryColumns = `
  m.id as "messageId", p.id as "personId", d.token, d.platform, dl.status, dl.reason, dl.attempts,
  dl.at, rc.delivered_at as delivered, rc.opened_at as opened, rc.clicked_at as clicked,
  rc.converted_at as converted`

/** What that needs beside; the apps whose devices may be seen are in $1. */
export const deliveryJoins = `
  left join people p on p.person_no = dl.person_no
  left join devices d on d.device_no = dl.device_no and d.app_no = any($1::int[])
  left join receipts rc on rc.message_no = dl.message_no and rc.device_no = dl.device_no`

export function deliveryOf({
  status,
  delivered,
  opened,
  clicked,
  converted,
  ...row
}: DeliveryRow): DeliveryReport {
  return { ...row, status: statusOf(status), receipts: { delivered, opened, clicked, converted } }
}

function page(rows: Row[], limit: number): DeliveryPage {
  const shown = rows.slice(0, limit)
  return {
    deliveries: shown.map(({ cursor: _, ...row }) => deliveryOf(row)),
    next: rows.length > limit ? (shown.at(-1)?.cursor ?? null) : null,
  }
}

/** Deliveries of a message in order of devices, `limit` a page, optionally of one status. */
export async function deliveriesOfMessage(
  sql: Sql,
  query: {
    appNos: readonly number[]
    messageNo: string
    status: DeliveryStatus | null
    after: string | null
    limit: number
  },
): Promise<DeliveryPage> {
  const { rows } = await sql.query<Row>({
    name: 'deliveries-of-message',
    text: `
      select ${deliveryColumns}, dl.device_no::text as cursor
      from deliveries dl join messages m using (message_no) ${deliveryJoins}
      where dl.message_no = $2 and dl.device_no > $3
        and ($4::smallint is null or dl.status = $4)
      order by dl.device_no limit $5`,
    values: [
      query.appNos,
      query.messageNo,
      query.after ?? '0',
      query.status === null ? null : statusCode[query.status],
      query.limit + 1,
    ],
  })
  return page(rows, query.limit)
}

/**
 * Deliveries to a person, newest message first, `limit` a page, optionally of one status and to
 * devices of one app; null where there is no such person.
 */
export async function deliveriesOfPerson(
  sql: Sql,
  query: {
    workspaceNo: number
    appNos: readonly number[]
    appNo: number | null
    personId: string
    status: DeliveryStatus | null
    after: string | null
    limit: number
  },
): Promise<DeliveryPage | null> {
  const { rows: people } = await sql.query<{ person_no: string }>(
    'select person_no from people where workspace_no = $1 and id = $2',
    [query.workspaceNo, query.personId],
  )
  const [person] = people
  if (!person) return null
  const [messageNo, deviceNo] = query.after?.split('.') ?? []
  const { rows } = await sql.query<Row>({
    name: 'deliveries-of-person',
    text: `
      select ${deliveryColumns}, dl.message_no || '.' || dl.device_no as cursor
      from deliveries dl join messages m using (message_no) ${deliveryJoins}
      where dl.person_no = $2
        and (dl.message_no, dl.device_no)
          < (${parameterOr('$3::bigint', aboveAll)}, ${parameterOr('$4::bigint', '0')})
        and ($5::smallint is null or dl.status = $5) and ($6::int is null or d.app_no = $6)
      order by dl.message_no desc, dl.device_no desc limit $7`,
    values: [
      query.appNos,
      person.person_no,
      messageNo ?? null,
      deviceNo ?? null,
      query.status === null ? null : statusCode[query.status],
      query.appNo,
      query.limit + 1,
    ],
  })
  return page(rows, query.limit)
}
