import { expect } from 'vitest'
import { type Answer, done, type System, send, startSystem } from '../test/system.ts'

/** A running system, and natively what clients of Customer.io left in it. */
export interface World extends AsyncDisposable {
  system: System
  person(id: string): Promise<Answer['body'] | null>
  attributes(id: string): Promise<Record<string, unknown> | null>
  device(token: string): Promise<Answer['body'] | null>
  /** What a person did, the oldest first; null where there is no such person. */
  events(id: string): Promise<Answer['body'][] | null>
  eventNames(id: string): Promise<string[] | null>
  /** Sends a push to a device, and returns what the phone reads in it. */
  push(token: string): Promise<{ messageId: string; deliveryId: string; deliveryToken: string }>
  /** How many devices told what of a message. */
  receipts(messageId: string): Promise<Record<string, number>>
}

export async function openWorld(): Promise<World> {
  const system = await startSystem()
  const read = async (path: string) => {
    const { status, body } = await system.registry('GET', path)
    if (status === 404) return null
    expect(status).toBe(200)
    return body
  }
  const person = (id: string) => read(`/v1/people/${encodeURIComponent(id)}`)
  const events = async (id: string) => {
    const page = await read(`/v1/people/${encodeURIComponent(id)}/events?limit=100`)
    return page?.events.toReversed() ?? null
  }
  return {
    system,
    person,
    events,
    attributes: async (id) => (await person(id))?.attributes ?? null,
    device: (token) => read(`/v1/devices/${encodeURIComponent(token)}`),
    eventNames: async (id) =>
      (await events(id))?.map((event: { name: string }) => event.name) ?? null,
    async push(token) {
      const messageId = await send(system, { to: { token }, content: { title: 'Hello' } })
      expect((await done(system, messageId)).counts).toMatchObject({ sent: 1 })
      const { body } = await system.simulator(
        'GET',
        `/received?token=${encodeURIComponent(token)}&payload=1`,
      )
      const text = JSON.stringify(body)
      const of = (key: string) => new RegExp(`"${key}":\\s*"([^"]+)"`).exec(text)?.[1] ?? ''
      return {
        messageId,
        deliveryId: of('CIO-Delivery-ID'),
        deliveryToken: of('CIO-Delivery-Token'),
      }
    },
    async receipts(messageId) {
      const { body } = await system.sender('GET', `/v1/messages/${messageId}`)
      return body.receipts
    },
    [Symbol.asyncDispose]: () => system[Symbol.asyncDispose](),
  }
}
