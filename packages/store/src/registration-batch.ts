import { noProof, secretKeyProof, vouchesFor } from './caller-proof.ts'
import { TooManyDevicesError } from './caps.ts'
import type { Sql } from './connect.ts'
import { type Deletion, decideDeletion } from './deletion-rule.ts'
import type { Device } from './device-rows.ts'
import type { Found } from './found-devices.ts'
import { deviceToLetGo } from './letting-go.ts'
import type { Wanted } from './registration-lock.ts'
import { type Changes, touchDevices, writeDevices } from './registration-rows.ts'
import {
  type DeviceState,
  decideRegistration,
  mayTake,
  type NewEvent,
  type Registration,
  replacedDevice,
  type Tie,
} from './registration-rule.ts'

/** `applied: false`: a newer call had been there; the device is as that left it, or gone. */
export type Registered =
  | { applied: true; device: Device }
  | { applied: false; device: Device | null }

/**
 * What became of a change of one device. `unknown`: there is no such device. `applied: false`: a
 * newer call, or the tie to another person, stood against it.
 */
export type DeviceChanged =
  | { kind: 'unknown' }
  | { kind: 'found'; applied: boolean; device: Device }

/** The devices of one transaction, as its calls change them one after the other. */
export interface Batch {
  now: number
  devices: Map<string, DeviceState>
  /** Keys of devices by installation. */
  installations: Map<string, string>
  /** The devices that the database has, by their keys: the number of the person whose each is there. */
  known: Map<string, number | null>
  people: Map<string, Tie>
  /** Keys of the people about whom calls are ignored. */
  blocked: Set<string>
  /** How many devices each named person has, by `tieKey`; up to the cap. */
  deviceCounts: Map<string, number>
  /** Most devices of a person; 0: any number. */
  devicesMax: number
  /** Keys of the devices that changed. */
  changed: Set<string>
  /** Keys of those of which only the order did. */
  touched: Set<string>
  events: { key: string; event: NewEvent }[]
}

export function openBatch({ now, devices, people, devicesMax }: Found): Batch {
  const batch: Batch = {
    now,
    devices: new Map(),
    installations: new Map(),
    known: new Map(devices.map((device) => [keyOf(device), device.person?.no ?? null])),
    people: new Map(people.map(({ workspaceNo, id, no }) => [`${workspaceNo} ${id}`, { id, no }])),
    blocked: new Set(
      people.filter((one) => one.isBlocked).map(({ workspaceNo, id }) => `${workspaceNo} ${id}`),
    ),
    deviceCounts: new Map(people.map(({ no, devices: count }) => [String(no), count])),
    devicesMax,
    changed: new Set(),
    touched: new Set(),
    events: [],
  }
  for (const device of devices) keep(batch, device)
  return batch
}

/** Applies one registration to what the calls before it left. Throws `TooManyDevicesError`. */
export function applyCall(batch: Batch, call: Registration, wanted: Wanted): Registered {
  const own = ownOf(batch, wanted)
  if (call.personId !== null && batch.blocked.has(`${call.workspaceNo} ${call.personId}`)) {
    return applyBlocked(batch, call, wanted, own)
  }
  const met = replacedBy(batch, wanted)
  const replaced = met.filter((device) => mayTake(call, device))
  const named = namedBy(batch, call)
  const { token_hash: hash } = wanted
  // An installation stays with the live device that the caller may not retire.
  const isTaken = met.some(
    (device) => !mayTake(call, device) && device.installationId === call.installationId,
  )
  const heard = isTaken ? { ...call, installationId: null } : call
  const decision = decideRegistration(heard, hash, own, replaced, named, batch.now)
  switch (decision.kind) {
    case 'late':
      return { applied: false, device: own && !own.isDeleted ? viewOf(own) : null }
    case 'applied': {
      const { device, events } = decision
      makeRoom(batch, device, own, replaced)
      for (const other of replaced) {
        const event = { kind: 'replaced', person: other.person, from: null } as const
        change(batch, replacedDevice(other, device.orderedAt), [event])
      }
      change(batch, device, events)
      return { applied: true, device: viewOf(device) }
    }
  }
}

/**
 * Where a device comes to a person who has as many as one may have, one that is of no use any more makes room for it.
 */
function makeRoom(
  batch: Batch,
  { person }: DeviceState,
  own: DeviceState | null,
  replaced: readonly DeviceState[],
): void {
  if (person === null || batch.devicesMax === 0) return
  const key = tieKey(person)
  const isTheirs = (device: DeviceState) => isTiedTo(device, key)
  if (own && isTheirs(own)) return
  const count = (batch.deviceCounts.get(key) ?? 0) - replaced.filter(isTheirs).length
  if (count < batch.devicesMax) return
  const others = [...batch.devices.values()].filter((device) => !replaced.includes(device))
  const unused = deviceToLetGo(others.filter(isTheirs), batch.now)
  if (!unused) throw new TooManyDevicesError(batch.devicesMax)
  const event = { kind: 'replaced', person: unused.person, from: null } as const
  change(batch, replacedDevice(unused, unused.orderedAt), [event])
}

function tieKey(tie: Tie): string {
  return tie.no === null ? `${tie.workspaceNo} ${tie.id}` : String(tie.no)
}

function isTiedTo({ isDeleted, person }: DeviceState, key: string): boolean {
  return !isDeleted && person !== null && tieKey(person) === key
}

/** Adds a device to the count of its person, or takes it off. */
function countFor({ deviceCounts }: Batch, { isDeleted, person }: DeviceState, by: 1 | -1): void {
  if (isDeleted || person === null) return
  const key = tieKey(person)
  deviceCounts.set(key, (deviceCounts.get(key) ?? 0) + by)
}

/** A phone of a person who is blocked is tied to no person: the former one has it no more. */
function applyBlocked(
  batch: Batch,
  call: Registration,
  wanted: Wanted,
  own: DeviceState | null,
): Registered {
  if (!own || own.isDeleted) return { applied: false, device: null }
  const change = { set: {}, remove: [], pushPermission: own.pushPermission }
  // As a secret key: to name another person takes the token from the former one, also where the new one is blocked.
  const untying: Registration = {
    ...call,
    platform: own.platform,
    environment: null,
    personId: null,
    isAnonymous: true,
    installationId: null,
    previousToken: null,
    readerHash: null,
    change,
    proof: secretKeyProof,
  }
  const alone = { ...wanted, previous_hash: null, installation_id: null }
  return { ...applyCall(batch, untying, alone), applied: false }
}

/** Applies one deletion to what the calls before it left. */
export function applyDeletion(batch: Batch, call: Deletion, wanted: Wanted): DeviceChanged {
  const decision = decideDeletion(call, wanted.token_hash, ownOf(batch, wanted), batch.now)
  switch (decision.kind) {
    case 'late':
      return { kind: 'found', applied: false, device: viewOf(decision.device) }
    case 'deleted': {
      const { device, tombstone } = decision
      change(batch, tombstone, [{ kind: 'deleted', person: device.person, from: null }])
      return { kind: 'found', applied: true, device: viewOf(device) }
    }
    case 'unseen':
      change(batch, decision.tombstone, [{ kind: 'deleted', person: null, from: null }])
      return { kind: 'unknown' }
    case 'unknown':
      if (decision.order) batch.touched.add(keep(batch, decision.order))
      return { kind: 'unknown' }
  }
}

/** How many of the devices that changed the database did not have. */
export function countNew({ changed, known }: Batch): number {
  return changed.size - [...changed].filter((key) => known.has(key)).length
}

/** Writes what became of a batch. */
export async function writeBatch(sql: Sql, batch: Batch): Promise<void> {
  if (batch.changed.size > 0) await writeDevices(sql, changesOf(batch))
  const touched = [...batch.touched].filter((key) => !batch.changed.has(key))
  if (touched.length > 0) {
    await touchDevices(
      sql,
      touched.map((key) => deviceOf(batch, key)),
    )
  }
}

function changesOf(batch: Batch): Changes {
  return {
    devices: [...batch.changed].map((key) => {
      const device = deviceOf(batch, key)
      const isTieKept = batch.known.get(key) === device.person?.no
      return { device, isNew: !batch.known.has(key), isTieKept }
    }),
    events: batch.events.map(({ key, event }) => ({ device: deviceOf(batch, key), event })),
  }
}

function deviceOf({ devices }: Batch, key: string): DeviceState {
  const device = devices.get(key)
  if (!device) throw new Error('a change names no device')
  return device
}

function ownOf({ devices }: Batch, { app_no, token_hash }: Wanted): DeviceState | null {
  return devices.get(`${app_no} ${token_hash}`) ?? null
}

/** The live devices that a call retires, the newest first. */
function replacedBy(
  { devices, installations }: Batch,
  { app_no, token_hash, previous_hash, installation_id }: Wanted,
): DeviceState[] {
  const keys = new Set([
    `${app_no} ${previous_hash}`,
    installations.get(`${app_no} ${installation_id}`),
  ])
  keys.delete(`${app_no} ${token_hash}`)
  return [...keys]
    .flatMap((key) => (key === undefined ? [] : (devices.get(key) ?? [])))
    .filter((device) => !device.isDeleted)
    .sort((one, other) => other.orderedAt - one.orderedAt)
}

function namedBy({ people }: Batch, call: Registration): Tie | null {
  const { workspaceNo, personId: id, proof = noProof } = call
  if (id === null) return null
  return (
    people.get(`${workspaceNo} ${id}`) ?? {
      no: null,
      id,
      workspaceNo,
      isVouched: vouchesFor(proof, id),
    }
  )
}

function change(batch: Batch, device: DeviceState, events: readonly NewEvent[]): void {
  const before = batch.devices.get(keyOf(device))
  if (before) countFor(batch, before, -1)
  countFor(batch, device, 1)
  const key = keep(batch, device)
  batch.changed.add(key)
  for (const event of events) batch.events.push({ key, event })
}

function keep({ devices, installations }: Batch, device: DeviceState): string {
  const key = keyOf(device)
  // An installation that it left here is free for the next call.
  const left = devices.get(key)?.installationId ?? null
  if (left !== null) installations.delete(`${device.appNo} ${left}`)
  devices.set(key, device)
  if (device.installationId !== null) {
    installations.set(`${device.appNo} ${device.installationId}`, key)
  }
  return key
}

function keyOf({ appNo, tokenHash }: DeviceState): string {
  return `${appNo} ${tokenHash}`
}

/** A device as callers see it. */
export function viewOf(device: DeviceState): Device {
  return {
    appNo: device.appNo,
    platform: device.platform,
    lastUsed: device.lastUsed,
    personId: device.person?.id ?? null,
    environment: device.environment,
    installationId: device.installationId,
    registeredAt: new Date(device.registeredAt),
    attributes: device.attributes,
    lastStatus: device.lastStatus,
    pushEnabled: device.pushPermission && !device.isDead,
  }
}
