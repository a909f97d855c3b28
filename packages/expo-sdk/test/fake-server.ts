import type { Fetch } from '../src/core/engine.ts'
import { deviceDeleted, deviceRegistered, type Item } from '../src/core/items.ts'
import type { Json } from '../src/core/json.ts'

interface FakeDevice {
  owner: string | null
  installationId: string
  attributes: { [key: string]: Json }
  orderedAt: string
}

/** An answer in place of the usual one; `lost`: the request is honoured, and nobody is told. */
export type Disturbance =
  | { kind: 'cut' }
  | { kind: 'lost' }
  | { kind: 'answer'; status: number; body?: string; headers?: { [name: string]: string } }

/**
 * The registry as far as the SDK sees it, in memory: each id counts once, devices are ordered by
 * time. The tests in `registry/` hold the SDK against the real one.
 */
export class FakeServer {
  people = new Map<string, { [key: string]: Json }>()
  devices = new Map<string, FakeDevice>()
  events: { name: string; owner: string; properties: { [key: string]: Json } }[] = []
  batches: Item[][] = []
  requests: Parameters<Fetch>[] = []
  /** Asked before each request. */
  disturb: (count: number) => Disturbance | null = () => null
  /** Whether an item is refused, and why. */
  refuse: (item: Item, tokens: string[]) => { code: string; detail: string } | null = () => null
  now: () => number = Date.now
  #seen = new Set<string>()
  #anonymous = new Map<string, string>()

  fetch: Fetch = async (url, init) => {
    this.requests.push([url, init])
    const disturbance = this.disturb(this.requests.length)
    if (disturbance?.kind === 'cut') throw new TypeError('Network request failed')
    if (disturbance?.kind === 'answer') return answerOf(disturbance, this.now())
    const tokens = init.headers['x-identity-token']?.split(', ') ?? []
    const errors = this.#take(JSON.parse(init.body ?? '{}').batch, tokens)
    if (disturbance?.kind === 'lost') throw new TypeError('Network request failed')
    const body = JSON.stringify(errors.length === 0 ? {} : { errors })
    return answerOf({ status: 200, body }, this.now())
  }

  #take(batch: Item[], tokens: string[]) {
    this.batches.push(batch)
    return batch.flatMap((item) => {
      const refusal = this.refuse(item, tokens)
      if (refusal) return [{ messageId: item.messageId, ...refusal }]
      if (!this.#seen.has(item.messageId)) this.#apply(item)
      this.#seen.add(item.messageId)
      return []
    })
  }

  #apply(item: Item): void {
    const owner = item.userId ?? null
    if (item.type === 'identify') {
      if (owner === null) return
      this.people.set(owner, merged(this.people.get(owner), item.traits))
      if (item.anonymousId === undefined) return
      for (const event of this.events) {
        if (event.owner === item.anonymousId) event.owner = owner
      }
      this.#anonymous.set(item.anonymousId, owner)
    } else if (item.context) {
      this.#applyDevice(item, item.context.device.token, owner)
    } else {
      const name = item.type === 'screen' ? item.name : item.event
      const { properties } = item
      this.events.push({ name, owner: owner ?? item.anonymousId ?? '', properties })
    }
  }

  #applyDevice(item: Item, token: string, owner: string | null): void {
    const known = this.devices.get(token)
    if (known && known.orderedAt > item.timestamp) return
    if (item.type === 'track' && item.event === deviceDeleted) {
      this.devices.delete(token)
      return
    }
    if (item.type !== 'track' || item.event !== deviceRegistered) return
    const { installationId = '' } = item.context?.device ?? {}
    for (const [other, device] of this.devices) {
      if (other !== token && device.installationId === installationId) this.devices.delete(other)
    }
    const attributes = merged(known?.attributes, item.properties)
    this.devices.set(token, { owner, installationId, attributes, orderedAt: item.timestamp })
  }

  /** What is stored, without times. */
  stored() {
    return {
      people: Object.fromEntries(this.people),
      devices: Object.fromEntries(
        [...this.devices].map(([token, { owner, attributes }]) => [token, { owner, attributes }]),
      ),
      events: this.events.map(({ name, owner }) => [name, owner]),
    }
  }
}

function merged(
  before: { [key: string]: Json } | undefined,
  sent: { [key: string]: Json },
): { [key: string]: Json } {
  const entries = Object.entries({ ...before, ...sent })
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== ''))
}

function answerOf(
  { status, body = '{}', headers = {} }: Omit<Extract<Disturbance, { kind: 'answer' }>, 'kind'>,
  now: number,
) {
  const all: { [name: string]: string } = { date: new Date(now).toUTCString(), ...headers }
  return {
    status,
    headers: { get: (name: string) => all[name.toLowerCase()] ?? null },
    text: async () => body,
  }
}
