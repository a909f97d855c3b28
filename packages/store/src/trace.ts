import { type Absence, type AbsenceFacts, absenceOf, type DeliveryStatus } from '@pushkeep/domain'
import type { Sql } from './connect.ts'
import type { StandingDevice } from './console-devices.ts'
import { statusOf } from './delivery-codes.ts'
import type { MessageReport } from './messages.ts'
import { recipientsOf } from './planning.ts'

/** What became of a message at a device. */
export type Trace =
  /** There is a delivery, with its outcome so far. */
  | {
      kind: 'delivery'
      status: DeliveryStatus
      reason: string | null
      attempts: number
      /** When it was settled; for a pending one, when it is tried again. */
      at: Date
    }
  /** It is a recipient whose turn has not come, or whose outcome is not written yet. */
  | { kind: 'waiting'; isActive: boolean; dueAt: Date }
  /** It was no recipient. */
  | { kind: 'absent'; why: Absence }

interface DeliveryRow {
  status: number
  reason: string | null
  attempts: number
  at: Date
}

/** What became of a message at a device, which is a person's or nobody's. */
export async function traceMessage(
  sql: Sql,
  message: MessageReport,
  device: StandingDevice,
  person: { personNo: string; id: string } | null,
): Promise<Trace> {
  const { rows } = await sql.query<DeliveryRow>({
    name: 'trace-delivery',
    text: `select status, reason, attempts, at from deliveries
           where message_no = $1 and device_no = $2`,
    values: [message.messageNo, device.deviceNo],
  })
  const [delivery] = rows
  if (delivery) {
    const { status, ...rest } = delivery
    return { kind: 'delivery', status: statusOf(status), ...rest }
  }
  const waiting = await findWaiting(sql, message.messageNo, device.deviceNo)
  if (waiting) return { kind: 'waiting', ...waiting }
  return { kind: 'absent', why: await whyAbsent(sql, message, device, person) }
}

/** The open chunk that a device is in, if it is in one. */
async function findWaiting(
  sql: Sql,
  messageNo: string,
  deviceNo: number,
): Promise<{ isActive: boolean; dueAt: Date } | null> {
  const { rows } = await sql.query<{ isActive: boolean; dueAt: Date }>({
    name: 'trace-chunk',
    text: `select state = 'leased' as "isActive", due_at as "dueAt" from chunks
           where message_no = $1 and state <> 'done' and device_nos @> array[$2::bigint]
           order by due_at limit 1`,
    values: [messageNo, deviceNo],
  })
  return rows[0] ?? null
}

async function whyAbsent(
  sql: Sql,
  message: MessageReport,
  device: StandingDevice,
  person: { personNo: string; id: string } | null,
): Promise<Absence> {
  const { personIds, tokenHashes } = recipientsOf(message.audience)
  const isNamed =
    message.audience.all === true ||
    tokenHashes.includes(device.fingerprint) ||
    (person !== null && personIds.includes(person.id))
  return absenceOf({
    isForOtherApp: message.appId !== null && message.appId !== device.appId,
    isNamed,
    ...(await timesOf(sql, message.messageNo, device, person?.personNo ?? null)),
  })
}

type Times = Pick<AbsenceFacts, 'plannedAt' | 'createdAt' | 'tiedAt'>

/**
 * When a message's audience was made out, and when a device came and became a person's. Whole
 * microseconds, as PostgreSQL keeps them: a Date has not the order of what happened in one millisecond.
 */
async function timesOf(
  sql: Sql,
  messageNo: string,
  { appNo, deviceNo }: StandingDevice,
  personNo: string | null,
): Promise<Times> {
  const { rows } = await sql.query<Times>({
    name: 'absence-times',
    text: `
      select (extract(epoch from m.planned_at) * 1e6)::float8 as "plannedAt",
             (extract(epoch from d.created_at) * 1e6)::float8 as "createdAt",
             (select (extract(epoch from max(e.at)) * 1e6)::float8
              from device_events e
              where e.device_no = d.device_no and e.person_no = $4
                and e.kind in ('registered', 'identified', 'moved')) as "tiedAt"
      from messages m, devices d
      where m.message_no = $1 and d.app_no = $2 and d.device_no = $3`,
    values: [messageNo, appNo, deviceNo, personNo],
  })
  // Either may have gone since it was read: then nothing that is kept explains it.
  return rows[0] ?? { plannedAt: Number.POSITIVE_INFINITY, createdAt: 0, tiedAt: null }
}
