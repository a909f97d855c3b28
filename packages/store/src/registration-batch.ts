import type { Device } from './device-rows.ts'
import type { Found, Wanted } from './registration-lock.ts'
import type { Changes } from './registration-rows.ts'
import {
  type DeviceState,
  decideRegistration,
  type NewEvent,
  type Registration,
  replacedDevice,
  type Tie,
} from './registration-rule.ts'

/** `applied: false`: a newer call had been there; the device is as that left it, or gone. */
export type Registered =
  | { applied: true; device: Device }
  | { applied: false; device: Device | null }

/** The devices of one transaction, as its calls change them one after the other. */
export interface Batch {
  now: number
  devices: Map<string, DeviceState>
  /** Keys of devices by installation. */
  installations: Map<string, string>
  /** Keys of the devices that the database has. */
  known: Set<string>
  people: Map<string, Tie>
  /** Keys of the devices that changed. */
  changed: Set<string>
  events: { key: string; event: NewEvent }[]
}

export function openBatch({ now, devices, people }: Found): Batch {
  const batch: Batch = {
    now,
    devices: new Map(),
    installations: new Map(),
    known: new Set(devices.map(keyOf)),
    people: new Map(people.map(({ workspaceNo, id, no }) => [`${workspaceNo} ${id}`, { id, no }])),
    changed: new Set(),
    events: [],
  }
  for (const device of devices) keep(batch, device)
  return batch
}

/** Applies one call to what the calls before it left. */
export function applyCall(batch: Batch, call: Registration, wanted: Wanted): Registered {
  const own = batch.devices.get(`${wanted.app_no} ${wanted.token_hash}`) ?? null
  const replaced = replacedBy(batch, wanted)
  const named = namedBy(batch, call)
  const { token_hash: hash } = wanted
  const decision = decideRegistration(call, hash, own, replaced, named, batch.now)
  switch (decision.kind) {
    case 'late':
      return { applied: false, device: own && !own.isDeleted ? viewOf(own) : null }
    case 'applied': {
      const { device, events } = decision
      for (const other of replaced) {
        const event = { kind: 'replaced', person: other.person, from: null } as const
        change(batch, replacedDevice(other, device.orderedAt), [event])
      }
      change(batch, device, events)
      return { applied: true, device: viewOf(device) }
    }
  }
}

/** How many of the devices that changed the database did not have. */
export function countNew({ changed, known }: Batch): number {
  return changed.size - [...changed].filter((key) => known.has(key)).length
}

/** What a batch has to write. */
export function changesOf(batch: Batch): Changes {
  const deviceOf = (key: string): DeviceState => {
    const device = batch.devices.get(key)
    if (!device) throw new Error('a change names no device')
    return device
  }
  return {
    devices: [...batch.changed].map((key) => ({
      device: deviceOf(key),
      isNew: !batch.known.has(key),
    })),
    events: batch.events.map(({ key, event }) => ({ device: deviceOf(key), event })),
  }
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

function namedBy({ people }: Batch, { workspaceNo, personId: id }: Registration): Tie | null {
  if (id === null) return null
  return people.get(`${workspaceNo} ${id}`) ?? { no: null, id, workspaceNo }
}

function change(batch: Batch, device: DeviceState, events: readonly NewEvent[]): void {
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
