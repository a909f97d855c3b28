import type { Attributes, Environment, LastStatus, Platform, Provider } from '@pushkeep/domain'
import type { DeviceState } from './registration-rule.ts'

export interface FoundPerson {
  workspaceNo: number
  id: string
  no: number
  /** Erased: calls about them are ignored. */
  isBlocked: boolean
  /** Devices that they have, counted up to the cap. */
  devices: number
}

/** The rows that a batch meets, locked; `now`: the database's time in ms, after the locks. */
export interface Found {
  now: number
  devices: DeviceState[]
  people: FoundPerson[]
  /** Most devices that a person may have; 0: any number. */
  devicesMax: number
}

/**
 * SQL of `DeviceRow`, from a locked device `d` and the people `named`. An array: with each field's name
 * beside it a row takes twice as long. An id is read where no call names the person.
 */
export const deviceRow = `
  json_build_array(
    d.app_no, d.token_hash, d.token, d.platform, d.provider, d.environment, d.installation_id,
    encode(d.reader_hash, 'hex'), d.attributes, d.push_permission, d.last_used, d.epoch,
    floor(extract(epoch from d.registered_at) * 1000),
    extract(epoch from d.ordered_at)::float8 * 1000, d.last_status, d.failures > 0,
    d.dead_at is not null, d.deleted_at is not null, d.person_no,
    case when d.person_no not in (select person_no from named)
      then (select id from people where person_no = d.person_no) end)`

/** What the statement gives of a device, in its order. */
type DeviceRow = [
  appNo: number,
  tokenHash: string,
  token: string | null,
  platform: Platform,
  provider: Provider,
  environment: Environment | null,
  installationId: string | null,
  readerHash: string | null,
  attributes: Attributes,
  pushPermission: boolean,
  lastUsed: number,
  epoch: number,
  registeredAt: number,
  orderedAt: number,
  lastStatus: LastStatus,
  isFailing: boolean,
  isDead: boolean,
  isDeleted: boolean,
  personNo: number | null,
  /** null: nobody, somebody whom a call names, or somebody who cannot be seen yet. */
  personId: string | null,
]

/** What the statement gives. */
export interface Answer {
  now: number
  devices: DeviceRow[]
  people: [workspaceNo: number, id: string, no: number, isBlocked: boolean, devices: number][]
  devicesMax: number
}

/** null: somebody to whom a device is tied was not seen. */
export function foundBy({ now, devices: rows, people, devicesMax }: Answer): Found | null {
  const named = new Map(people.map(([, id, no]) => [no, id]))
  const devices: DeviceState[] = []
  for (const row of rows) {
    const device = deviceOf(row, named)
    if (!device) return null
    devices.push(device)
  }
  return {
    now,
    devices,
    people: people.map(([workspaceNo, id, no, isBlocked, had]) => {
      return { workspaceNo, id, no, isBlocked, devices: had }
    }),
    devicesMax,
  }
}

function deviceOf(
  [
    appNo,
    uuid,
    token,
    platform,
    provider,
    environment,
    installationId,
    readerHash,
    attributes,
    pushPermission,
    lastUsed,
    epoch,
    registeredAt,
    orderedAt,
    lastStatus,
    isFailing,
    isDead,
    isDeleted,
    personNo,
    personId,
  ]: DeviceRow,
  named: ReadonlyMap<number, string>,
): DeviceState | null {
  const id = personNo === null ? null : (personId ?? named.get(personNo))
  if (id === undefined) return null
  return {
    appNo,
    tokenHash: uuid.replaceAll('-', ''),
    token,
    platform,
    provider,
    environment,
    person: personNo === null || id === null ? null : { no: personNo, id },
    installationId,
    readerHash,
    attributes,
    pushPermission,
    lastUsed,
    epoch,
    registeredAt,
    orderedAt,
    lastStatus,
    isFailing,
    isDead,
    isDeleted,
  }
}
