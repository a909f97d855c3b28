import type { Platform } from '@pushkeep/domain'
import { type Metrics, observeCoalescers } from '@pushkeep/runtime'
import type {
  CoalescedRun,
  Identification,
  Person,
  Registered,
  Registration,
} from '@pushkeep/store'
import { Counter } from 'prom-client'

/** What happens in the token registry, as it is counted. One function an event. */
export interface RegistryEvents {
  /** A registration was applied, or came too late (R1). */
  registered(platform: Platform, applied: boolean): void
  identified(): void
  /** Calls shared a statement. */
  coalesced(what: 'registrations' | 'identifications' | 'keys'): (run: CoalescedRun) => void
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
  for (const platform of ['ios', 'android']) {
    for (const result of ['applied', 'late']) registrations.inc({ platform, result }, 0)
  }
  return {
    registered: (platform, applied) =>
      registrations.inc({ platform, result: applied ? 'applied' : 'late' }),
    identified: () => identifications.inc(),
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
