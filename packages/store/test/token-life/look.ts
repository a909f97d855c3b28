import { type LastStatus, settledStatuses } from '@pushkeep/domain'
import { statusOf, tokenHash } from '../../src/index.ts'
import { type Life, nameOf } from './life.ts'
import type { World } from './world.ts'

/** What can be seen of a life, in the database as in the model. */
export interface Seen {
  devices: Record<string, SeenDevice>
  /** By message and token; `pending` where nothing is settled. */
  deliveries: Record<string, string>
  counts: Record<string, string>
}

type SeenDevice =
  | 'gone'
  | {
      owner: string | null
      lastStatus: LastStatus
      pushEnabled: boolean
      /** What the timeline tells of it. */
      told: { owner: string | null; isDead: boolean; failure: LastStatus }
    }

interface DeviceRow {
  hash: string
  owner: string | null
  lastStatus: LastStatus
  pushEnabled: boolean
  isGone: boolean
  events: [kind: string, person: string | null][]
}

interface Rows {
  devices: DeviceRow[]
  deliveries: [messageNo: string, deviceHash: string, status: number, rest: string][]
  counts: [messageNo: string, recipients: number, ...settled: number[]][]
}

const lookText = `
  select
    (select coalesce(json_agg(json_build_object(
       'hash', replace(d.token_hash::text, '-', ''), 'owner', p.id, 'lastStatus', d.last_status,
       'pushEnabled', d.push_permission and d.dead_at is null, 'isGone', d.deleted_at is not null,
       'events', (
         select json_agg(json_build_array(e.kind, ep.id) order by e.at)
         from device_events e left join people ep on ep.person_no = e.person_no
         where e.device_no = d.device_no))), '[]')
     from devices d left join people p on p.person_no = d.person_no where d.app_no = $1) as devices,
    (select coalesce(json_agg(json_build_array(
       dl.message_no::text, replace(d.token_hash::text, '-', ''), dl.status,
       concat_ws(' ', dl.reason, dl.attempts, dl.at))), '[]')
     from deliveries dl join devices d on d.app_no = $1 and d.device_no = dl.device_no
     where dl.message_no = any($2)) as deliveries,
    (select coalesce(json_agg(json_build_array(
       message_no::text, recipients, sent, bounced, suppressed, failed, expired)), '[]')
     from message_counts where message_no = any($2)) as counts`

/** Looks at the database in one snapshot. `kept` remembers what is settled, which never changes. */
export async function look(world: World, kept: Map<string, string>): Promise<Seen> {
  const messageNos = world.messages.map((message) => message.messageNo)
  const { rows } = await world.database.query<Rows>({
    name: 'look',
    text: lookText,
    values: [world.appNo, messageNos],
  })
  const [found] = rows
  if (!found) throw new Error('nothing to be seen')
  const tokenOf = new Map([...world.realTokens].map(([name, token]) => [tokenHash(token), name]))
  const messageOf = new Map(world.messages.map(({ messageNo, name }) => [messageNo, name]))
  const deliveries: Seen['deliveries'] = {}
  for (const [messageNo, hash, code, rest] of found.deliveries) {
    const name = `${messageOf.get(messageNo)} to ${tokenOf.get(hash)}`
    const status = statusOf(code)
    if (status === 'pending') continue
    deliveries[name] = kept.get(name) === undefined || kept.get(name) === rest ? status : 'changed'
    kept.set(name, rest)
  }
  return {
    devices: Object.fromEntries(
      found.devices.map((row) => [tokenOf.get(row.hash) ?? '?', seenDevice(row)]),
    ),
    deliveries,
    counts: Object.fromEntries(
      found.counts.map(([no, ...numbers]) => [messageOf.get(no) ?? '?', countsLine(numbers)]),
    ),
  }
}

function seenDevice(row: DeviceRow): SeenDevice {
  const told = toldBy(row.events)
  if (row.isGone) return told.owner === 'gone' ? 'gone' : { ...row, told }
  const { owner, lastStatus, pushEnabled } = row
  const failure = lastStatus === 'sent' ? '' : lastStatus
  // A silent refresh clears a status that is still the last that was told.
  return {
    owner,
    lastStatus,
    pushEnabled,
    told: { ...told, failure: failure === '' ? '' : told.failure },
  }
}

/** What follows from a timeline, event by event. */
function toldBy(events: DeviceRow['events']): {
  owner: string | null
  isDead: boolean
  failure: LastStatus
} {
  let owner: string | null = null
  let isDead = false
  let failure: LastStatus = ''
  for (const [kind, person] of events) {
    switch (kind) {
      case 'registered':
      case 're_registered':
        isDead = false
        failure = ''
        owner = person
        break
      case 'identified':
      case 'moved':
        owner = person
        break
      case 'untied':
        owner = null
        break
      case 'deleted':
      case 'replaced':
        owner = 'gone'
        break
      case 'bounced':
        isDead = true
        failure = 'bounced'
        break
      case 'suppressed':
        failure = 'suppressed'
    }
  }
  return { owner, isDead, failure }
}

/** R4 in one line; `pending` is what is left. */
function countsLine([recipients = 0, ...settled]: number[]): string {
  const pending = recipients - settled.reduce((sum, count) => sum + count, 0)
  const parts = settledStatuses.map((status, index) => `${settled[index]} ${status}`)
  return `${recipients} = ${parts.join(' + ')} + ${pending} pending`
}

/** What a life should look like. */
export function expected(life: Life): Seen {
  const devices: Seen['devices'] = {}
  for (const [token, device] of life.devices) {
    const owner = device.owner && nameOf(device.owner)
    const failure = device.lastStatus === 'sent' ? '' : device.lastStatus
    devices[token] = device.isGone
      ? 'gone'
      : {
          owner,
          lastStatus: device.lastStatus,
          pushEnabled: device.allows && !device.isDead,
          told: { owner, isDead: device.isDead, failure },
        }
  }
  const deliveries: Seen['deliveries'] = {}
  const counts: Seen['counts'] = {}
  for (const [message, recipients] of life.messages) {
    const statuses = [...recipients.values()].map(({ status }) => status)
    const settled = settledStatuses.map((one) => statuses.filter((status) => status === one).length)
    counts[message] = countsLine([recipients.size, ...settled])
    for (const [token, { status }] of recipients) {
      if (status !== 'pending') deliveries[`${message} to ${token}`] = status
    }
  }
  return { devices, deliveries, counts }
}
