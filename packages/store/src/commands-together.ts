import { attributeChange, foldChanges } from '@pushkeep/domain'
import {
  type AnonymousCall,
  type AnonymousOwners,
  applyAnonymous,
  ownerFor,
} from './anonymous-ids.ts'
import type { DeviceCommand, IdentifyCommand, TogetherCommand } from './command.ts'
import type { Sql } from './connect.ts'
import { changeDevices } from './device-commands.ts'
import { type ChangedPerson, changePeople, type PersonChange } from './identifications.ts'
import { type EventRow, type NewPersonEvent, writeEvents } from './person-events.ts'

/**
 * Applies commands in a statement or two a kind. Rows are locked in the order in which other calls
 * lock them: devices, people, anonymous ids; within each kind in the order of their keys.
 */
export async function applyTogether(sql: Sql, commands: readonly TogetherCommand[]): Promise<void> {
  const devices = commands.filter(
    (command): command is DeviceCommand =>
      command.kind === 'register-device' || command.kind === 'delete-device',
  )
  if (devices.length > 0) await changeDevices(sql, devices)
  const changed = await identify(sql, commands)
  const owners = await meetAnonymous(sql, commands, changed)
  const events = commands.flatMap((command) =>
    command.kind === 'event' ? [rowOf(command.event, owners)] : [],
  )
  if (events.length > 0) await writeEvents(sql, events)
}

/** People by their workspace and id. */
type ChangedPeople = ReadonlyMap<string, ChangedPerson>

const personKey = ({ workspaceNo, id }: { workspaceNo: number; id: string }) =>
  `${workspaceNo} ${id}`

async function identify(sql: Sql, commands: readonly TogetherCommand[]): Promise<ChangedPeople> {
  const byPerson = new Map<string, IdentifyCommand[]>()
  for (const command of commands) {
    if (command.kind !== 'identify') continue
    const key = personKey(command.call)
    const calls = byPerson.get(key)
    if (calls) calls.push(command.call)
    else byPerson.set(key, [command.call])
  }
  if (byPerson.size === 0) return new Map()
  const changed: ChangedPerson[] = []
  for (const calls of roundsOf([...byPerson.values()])) {
    changed.push(...(await changePeople(sql, calls.flatMap(changeOf))))
  }
  return new Map(changed.map((person) => [personKey(person), person]))
}

/**
 * Calls about each person in the order in which they came, divided where others vouch for them: what a
 * public key says must not be folded into what a secret key said. One round, as a rule.
 */
function roundsOf(people: readonly IdentifyCommand[][]): IdentifyCommand[][][] {
  const rounds: IdentifyCommand[][][] = []
  for (const calls of people) {
    const runs: IdentifyCommand[][] = []
    for (const call of calls) {
      const run = runs.at(-1)
      if (run?.[0] && isVouchedAlike(run[0], call)) run.push(call)
      else runs.push([call])
    }
    for (const [n, run] of runs.entries()) {
      const round = rounds[n] ?? []
      rounds[n] = round
      round.push(run)
    }
  }
  return rounds
}

function isVouchedAlike(one: IdentifyCommand, other: IdentifyCommand): boolean {
  return (
    (one.isVouched ?? false) === (other.isVouched ?? false) &&
    (one.vouchesEmail ?? false) === (other.vouchesEmail ?? false)
  )
}

function changeOf(calls: readonly IdentifyCommand[]): PersonChange[] {
  const [first] = calls
  if (!first) return []
  const { workspaceNo, id, isVouched = false, vouchesEmail = false } = first
  const now = Date.now()
  const change = foldChanges(
    calls.map(({ attributes, at }) => ({
      change: attributeChange(attributes),
      // A clock that runs ahead keeps nobody from changing it again.
      at: at === null ? null : Math.min(at, now),
    })),
  )
  const isUpdateOnly = calls.every((call) => call.isUpdateOnly)
  return [{ workspaceNo, id, change, isUpdateOnly, isVouched, vouchesEmail }]
}

async function meetAnonymous(
  sql: Sql,
  commands: readonly TogetherCommand[],
  changed: ChangedPeople,
): Promise<AnonymousOwners> {
  const calls = commands.flatMap((command) => anonymousCallOf(command, changed))
  return calls.length === 0 ? new Map() : applyAnonymous(sql, calls)
}

function anonymousCallOf(command: TogetherCommand, changed: ChangedPeople): AnonymousCall[] {
  switch (command.kind) {
    case 'identify': {
      const { workspaceNo, anonymousId, attributes } = command.call
      const person = changed.get(personKey(command.call))
      if (anonymousId === null || !person || person.blocked) return []
      const removed = attributeChange(attributes).remove
      const identified = { personNo: person.personNo, id: person.id, removed }
      return [{ workspaceNo, anonymousId, change: null, identified }]
    }
    case 'describe-nobody': {
      const { workspaceNo, anonymousId, attributes, provenIds } = command.call
      const change = attributeChange(attributes)
      return [{ workspaceNo, anonymousId, change, identified: null, provenIds }]
    }
    case 'event': {
      const { workspaceNo, personId, anonymousId } = command.event
      if (personId !== null || anonymousId === null) return []
      return [{ workspaceNo, anonymousId, change: null, identified: null }]
    }
    case 'register-device':
    case 'delete-device':
      return []
  }
}

function rowOf(event: NewPersonEvent, owners: AnonymousOwners): EventRow {
  const { workspaceNo, personId, anonymousId, provenIds } = event
  if (personId !== null || anonymousId === null) return { event, ownerNo: null }
  const owner = ownerFor(owners, { workspaceNo, anonymousId, provenIds })
  return { event, ownerNo: owner?.personNo ?? null }
}
