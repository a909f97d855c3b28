import {
  type Attributes,
  type Environment,
  failuresMax,
  type WithheldReason,
} from '@pushkeep/domain'

/** A recipient at the moment of sending, with what stands against sending (R6, R7). */
export interface Recipient {
  deviceNo: number
  /** Whom the device belonged to when the message was planned. */
  personNo: number | null
  /** null only where `withheld` says why. */
  token: string | null
  withheld: WithheldReason | null
  epoch: number
  /** Milliseconds since the epoch. */
  registeredAt: number
  environment: Environment | null
  failures: number
  /** Tries before this one that ended with a known answer. */
  attempts: number
  /** An earlier holder of the chunk may have sent it: an unknown outcome (R5). */
  mayHaveBeenSent: boolean
  /** What the message's templates read of whom it belongs to; null: nothing, or nobody. */
  customer: Attributes | null
}

// R6 and R7 where the claim is made: the row is read by the statement that claims it.
const withheld = `case
    when m.cancelled_at is not null then 'cancelled'
    when d.device_no is null or d.deleted_at is not null then 'deleted'
    when d.provider <> c.provider then 'replaced'
    when r.person_no is not null and d.person_no is distinct from r.person_no then 'reassigned'
    when p.suppressed_at is not null then 'person_suppressed'
    when d.dead_at is not null then 'token_dead'
    when not d.push_permission then 'push_disabled'
    when d.failures >= ${failuresMax} then 'wrong_app'
  end`

// Of the person, what the message asks for and no more.
const customer = `case when m.person_keys is not null and p.person_no is not null then (
    select coalesce(json_object_agg(
             key, case key when 'id' then to_jsonb(p.id) else p.attributes -> key end), '{}')
    from unnest(m.person_keys) as key where key = 'id' or p.attributes ? key) end`

/**
 * Aggregates recipients `r` with their devices (`joinDevices`), of a chunk `c` and a message `m`, into
 * one JSON array for `parseRecipients`: parsed natively, where rows are parsed field by field. What
 * most recipients have in common is left out.
 */
export function recipientsJson(attempts: string, mayHaveBeenSent: string): string {
  const common = `r.device_no, r.person_no, d.token, d.epoch,
    (date_part('epoch', d.registered_at) * 1000)::bigint`
  return `json_agg(
      case when ${withheld} is null and d.environment is null and d.failures = 0
                and ${attempts} = 0 and not ${mayHaveBeenSent} and m.person_keys is null
           then json_build_array(${common})
           else json_build_array(${common}, ${withheld}, d.environment, d.failures, ${attempts},
                                 ${mayHaveBeenSent}, ${customer}) end
      order by r.device_no)`
}

// One by one: before the tables have statistics, a join by key becomes a scan of all devices of the app.
export const joinDevices = `
  left join lateral (
    select * from devices where app_no = c.app_no and device_no = r.device_no limit 1) d on true
  left join lateral (select * from people where person_no = d.person_no limit 1) p on true`

/** As `recipientsJson` makes it; a device that is gone has nulls. */
export type RecipientRow = [
  deviceNo: number,
  personNo: number | null,
  token: string | null,
  epoch: number | null,
  registeredAt: number | null,
  withheld?: WithheldReason | null,
  environment?: Environment | null,
  failures?: number | null,
  attempts?: number,
  mayHaveBeenSent?: boolean,
  customer?: Attributes | null,
]

/** Reads what `recipientsJson` made; null where there were none. */
export function parseRecipients(rows: RecipientRow[] | null): Recipient[] {
  return rows === null ? [] : rows.map(recipientOf)
}

function recipientOf(row: RecipientRow): Recipient {
  return {
    deviceNo: row[0],
    personNo: row[1],
    token: row[2],
    withheld: row[5] ?? null,
    epoch: row[3] ?? 0,
    registeredAt: row[4] ?? 0,
    environment: row[6] ?? null,
    failures: row[7] ?? 0,
    attempts: row[8] ?? 0,
    mayHaveBeenSent: row[9] ?? false,
    customer: row[10] ?? null,
  }
}
