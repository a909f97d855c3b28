import { coalesce } from './coalesce.ts'
import { type Database, inTransaction, isRepeatable } from './connect.ts'
import type { Device } from './device-rows.ts'
import {
  type Found,
  lockDevices,
  RacedError,
  type Wanted,
  writeDevices,
} from './registration-rows.ts'
import {
  type DeviceState,
  decideRegistration,
  type NewEvent,
  type Registration,
  replacedDevice,
  type Tie,
} from './registration-rule.ts'
import { tokenHash } from './token-hash.ts'

/** `applied: false`: a newer call had been there; the device is as that left it, or gone. */
export type Registered =
  | { applied: true; device: Device }
  | { applied: false; device: Device | null }

interface Item {
  call: Registration
  wanted: Wanted
}

/** Registers a device. Concurrent calls share a transaction, and are applied one after the other. */
export function createRegistrar(database: Database): (call: Registration) => Promise<Registered> {
  const register = coalesce<Item, Registered>({
    run: (items) => registerAll(database, items),
    sizeMax: 200,
    runsMax: 2,
    waitingMax: 10_000,
  })
  return (call) => register({ call, wanted: wantedBy(call) })
}

function wantedBy(call: Registration): Wanted {
  const hash = tokenHash(call.token)
  const previous = call.previousToken === null ? null : tokenHash(call.previousToken)
  return {
    app_no: call.appNo,
    token_hash: hash,
    previous_hash: previous === hash ? null : previous,
    installation_id: call.installationId,
    workspace_no: call.workspaceNo,
    person_id: call.personId,
  }
}

// Each try that fails found that another process had come first: as many as that may be.
const triesMax = 20

async function registerAll(database: Database, items: readonly Item[]): Promise<Registered[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await inTransaction(database, async (sql) => {
        const batch = new Batch(
          await lockDevices(
            sql,
            items.map(({ wanted }) => wanted),
          ),
        )
        const results = items.map((item) => batch.register(item))
        if (batch.isChanged) await writeDevices(sql, batch.changes())
        return results
      })
    } catch (error) {
      const mayRepeat = error instanceof RacedError || isRepeatable(error)
      if (!mayRepeat || attempt >= triesMax) throw error
    }
  }
}

/** The devices of one transaction, as its calls change them one after the other. */
class Batch {
  readonly #now: number
  readonly #devices = new Map<string, DeviceState>()
  readonly #installations = new Map<string, string>()
  readonly #known = new Set<string>()
  readonly #people = new Map<string, Tie>()
  readonly #written = new Map<string, number>()
  readonly #events: { key: string; workspaceNo: number; event: NewEvent }[] = []

  constructor({ now, devices, people }: Found) {
    this.#now = now
    for (const device of devices) {
      this.#set(device)
      this.#known.add(keyOf(device))
    }
    for (const { workspaceNo, id, no } of people)
      this.#people.set(`${workspaceNo} ${id}`, { id, no })
  }

  get isChanged(): boolean {
    return this.#written.size > 0
  }

  register({ call, wanted }: Item): Registered {
    const key = `${wanted.app_no} ${wanted.token_hash}`
    const own = this.#devices.get(key) ?? null
    const replaced = this.#replacedBy(wanted)
    const named = this.#personOf(call)
    const { token_hash: hash } = wanted
    const decision = decideRegistration(call, hash, own, replaced, named, this.#now)
    switch (decision.kind) {
      case 'late':
        return { applied: false, device: own && !own.isDeleted ? viewOf(own) : null }
      case 'applied': {
        const { device, events } = decision
        for (const other of replaced) {
          this.#put(call.workspaceNo, replacedDevice(other, device.orderedAt), [
            { kind: 'replaced', person: other.person, from: null },
          ])
        }
        this.#put(call.workspaceNo, device, events)
        return { applied: true, device: viewOf(device) }
      }
    }
  }

  changes() {
    const deviceOf = (key: string): DeviceState => {
      const device = this.#devices.get(key)
      if (!device) throw new Error('a change names no device')
      return device
    }
    return {
      devices: [...this.#written].map(([key, workspaceNo]) => ({
        device: deviceOf(key),
        workspaceNo,
        isNew: !this.#known.has(key),
      })),
      events: this.#events.map(({ key, workspaceNo, event }) => ({
        device: deviceOf(key),
        workspaceNo,
        event,
      })),
    }
  }

  /** The live rows that a call retires, the newest first. */
  #replacedBy({ app_no, token_hash, previous_hash, installation_id }: Wanted): DeviceState[] {
    const keys = new Set([
      `${app_no} ${previous_hash}`,
      this.#installations.get(`${app_no} ${installation_id}`),
    ])
    keys.delete(`${app_no} ${token_hash}`)
    return [...keys]
      .flatMap((key) => (key === undefined ? [] : (this.#devices.get(key) ?? [])))
      .filter((device) => !device.isDeleted)
      .sort((one, other) => other.orderedAt - one.orderedAt)
  }

  #personOf({ workspaceNo, personId }: Registration): Tie | null {
    if (personId === null) return null
    return this.#people.get(`${workspaceNo} ${personId}`) ?? { no: null, id: personId }
  }

  #put(workspaceNo: number, device: DeviceState, events: NewEvent[]): void {
    const key = this.#set(device)
    this.#written.set(key, workspaceNo)
    for (const event of events) this.#events.push({ key, workspaceNo, event })
  }

  #set(device: DeviceState): string {
    const key = keyOf(device)
    this.#devices.set(key, device)
    if (device.installationId !== null) {
      this.#installations.set(`${device.appNo} ${device.installationId}`, key)
    }
    return key
  }
}

function keyOf({ appNo, tokenHash }: DeviceState): string {
  return `${appNo} ${tokenHash}`
}

function viewOf(device: DeviceState): Device {
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
