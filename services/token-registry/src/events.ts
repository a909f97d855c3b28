import type { Platform } from '@pushkeep/domain'
import { type Metrics, observeCoalescers } from '@pushkeep/runtime'
import type {
  CoalescedRun,
  Command,
  CommandVerdict,
  Identification,
  Person,
  Registered,
  Registration,
  Sent,
} from '@pushkeep/store'
import { Counter } from 'prom-client'

/** What happens in the token registry, as it is counted. One function an event. */
export interface RegistryEvents {
  /** A registration was applied, or came too late (R1). */
  registered(platform: Platform, applied: boolean): void
  identified(): void
  /** One of many things that a client sent at a time was done, or was not. */
  commanded(kind: Command['kind'], verdict: CommandVerdict): void
  /** Calls shared a statement. */
  coalesced(
    what: 'registrations' | 'identifications' | 'commands' | 'receipts' | 'keys',
  ): (run: CoalescedRun) => void
}

// As objects, so that the compiler asks for each new one.
const commandKinds: Record<Command['kind'], true> = {
  identify: true,
  'describe-nobody': true,
  event: true,
  'register-device': true,
  'delete-device': true,
  'delete-person': true,
  'erase-person': true,
  'unsuppress-person': true,
  'merge-people': true,
}
const commandVerdicts: Record<CommandVerdict, true> = {
  done: true,
  repeated: true,
  too_large: true,
  too_many_devices: true,
}

export function createRegistryEvents(metrics: Metrics): RegistryEvents {
  const registers = [metrics.registry]
  const registrations = new Counter({
    name: 'pushkeep_registrations_total',
    help: 'Registrations of devices, by whether they were applied or came too late',
    labelNames: ['platform', 'result'],
    registers,
  })
  const identifications = new Counter({
    name: 'pushkeep_identifications_total',
    help: 'Calls that added a person or merged attributes',
    registers,
  })
  const commands = new Counter({
    name: 'pushkeep_commands_total',
    help: 'Commands that came in batches or by a dialect, by what became of them',
    labelNames: ['kind', 'verdict'],
    registers,
  })
  for (const platform of ['ios', 'android']) {
    for (const result of ['applied', 'late']) registrations.inc({ platform, result }, 0)
  }
  for (const kind of Object.keys(commandKinds)) {
    for (const verdict of Object.keys(commandVerdicts)) commands.inc({ kind, verdict }, 0)
  }
  return {
    registered: (platform, applied) =>
      registrations.inc({ platform, result: applied ? 'applied' : 'late' }),
    identified: () => identifications.inc(),
    commanded: (kind, verdict) => commands.inc({ kind, verdict }),
    coalesced: observeCoalescers(metrics),
  }
}

type Register = (call: Registration) => Promise<Registered>

/** Registering, counted; whichever route or dialect it comes by. */
export function countRegistrations(events: RegistryEvents, register: Register): Register {
  return async (call) => {
    const registered = await register(call)
    events.registered(call.platform, registered.applied)
    return registered
  }
}

type Identify = (call: Identification) => Promise<Person>

/** Identifying, counted. */
export function countIdentifications(events: RegistryEvents, identify: Identify): Identify {
  return async (call) => {
    const person = await identify(call)
    events.identified()
    return person
  }
}

type Run = (list: readonly Sent[]) => Promise<CommandVerdict[]>

/** Commands, counted. */
export function countCommands(events: RegistryEvents, run: Run): Run {
  return async (list) => {
    const verdicts = await run(list)
    for (const [index, verdict] of verdicts.entries()) {
      const sent = list[index]
      if (sent) events.commanded(sent.command.kind, verdict)
    }
    return verdicts
  }
}
