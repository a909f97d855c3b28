import { createHash } from 'node:crypto'
import type { Client } from '../../src/core/index.ts'

/** A call of a phone, and what it is to the server. */
export interface PhoneCall {
  what:
    | { kind: 'identify' | 'profile'; person: string; attribute: string }
    | { kind: 'clear' }
    | { kind: 'track'; name: string }
    | { kind: 'token'; token: string }
    | { kind: 'device'; attribute: string }
  call(client: Client): Promise<void>
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

/** Calls of two people on one phone; every one can be told from every other. */
export function callsOf(seed: string, count: number): PhoneCall[] {
  return Array.from({ length: count }, (_, number): PhoneCall => {
    const name = `${seed}-${number}`
    const dice = Number.parseInt(hashOf(name).slice(0, 4), 16) % 20
    if (number === 0 || dice === 0) {
      const token = hashOf(`token ${name}`)
      return {
        what: { kind: 'token', token },
        call: (client) => client.registerDeviceToken(token),
      }
    }
    if (dice <= 3) {
      const person = `${seed}-${dice % 2 ? 'ana' : 'ben'}`
      return {
        what: { kind: 'identify', person, attribute: name },
        call: (client) => client.identify(person, { [name]: true }),
      }
    }
    if (dice === 4) return { what: { kind: 'clear' }, call: (client) => client.clearIdentify() }
    if (dice <= 6) {
      return {
        what: { kind: 'device', attribute: name },
        call: (client) => client.setDeviceAttributes({ [name]: true }),
      }
    }
    return { what: { kind: 'track', name }, call: (client) => client.track(name) }
  })
}

/** What the server should have after some calls: the last owner, and whose each event is. */
export interface Expected {
  person: string | null
  token: string | null
  /** Events by person; those of nobody are not in it. */
  events: Map<string, string[]>
  attributes: Map<string, string[]>
  deviceAttributes: string[]
}

/** Plays calls through by the rules of the page. */
export function expectedOf(calls: readonly PhoneCall[]): Expected {
  const expected: Expected = {
    person: null,
    token: null,
    events: new Map(),
    attributes: new Map(),
    deviceAttributes: [],
  }
  let ofNobody: string[] = []
  const add = (map: Map<string, string[]>, person: string, names: readonly string[]) =>
    map.set(person, [...(map.get(person) ?? []), ...names])
  for (const { what } of calls) {
    switch (what.kind) {
      case 'identify':
      case 'profile':
        if (expected.person === null) add(expected.events, what.person, ofNobody)
        if (expected.person === null) ofNobody = []
        expected.person = what.person
        add(expected.attributes, what.person, [what.attribute])
        break
      case 'clear':
        if (expected.person !== null) ofNobody = []
        expected.person = null
        break
      case 'track':
        if (expected.person === null) ofNobody.push(what.name)
        else add(expected.events, expected.person, [what.name])
        break
      case 'token':
        expected.token = what.token
        break
      case 'device':
        expected.deviceAttributes.push(what.attribute)
    }
  }
  return expected
}
