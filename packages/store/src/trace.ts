import { type Absence, absenceOf, type DeliveryStatus } from '@pushkeep/domain'
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
    plannedAt: await plannedAt(sql, message.messageNo),
    createdAt: device.createdAt.getTime(),
    tiedAt: person && (await tiedSince(sql, device.deviceNo, person.personNo)),
  })
}

/** When a message's audience was made out, in ms; null: not yet. */
async function plannedAt(sql: Sql, messageNo: string): Promise<number | null> {
  const { rows } = await sql.query<{ at: Date | null }>({
    name: 'planned-at',
    text: 'select planned_at as at from messages where message_no = $1',
    values: [messageNo],
  })
  return rows[0]?.at?.getTime() ?? null
}

/** When a device became a person's, in ms; null where its timeline does not tell. */
async function tiedSince(sql: Sql, deviceNo: number, personNo: string): Promise<number | null> {
  const { rows } = await sql.query<{ at: Date | null }>({
    name: 'tied-since',
    text: `select max(at) as at from device_events
           where device_no = $1 and person_no = $2
             and kind in ('registered', 'identified', 'moved')`,
    values: [deviceNo, personNo],
  })
  return rows[0]?.at?.getTime() ?? null
}
