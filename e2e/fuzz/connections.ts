import { bytesOf, type Case } from './case.ts'
import { type Client, createClient, type Reply } from './client.ts'
import type { ServiceName } from './documents.ts'

/** Kept connections to both services. */
export interface Connections {
  /** Sends all, several at a time. */
  sendAll(cases: readonly Case[], onReply: (one: Case, reply: Reply) => void): Promise<void>
  /** Sends one while nothing else is under way. */
  sendAlone(one: Case): Promise<Reply>
  close(): void
}

const perService = 6
/** Longest wait for an answer. A slow one is a failure long before that. */
const timeoutMs = 15_000

export function openConnections(origins: Record<ServiceName, string>): Connections {
  const open = (service: ServiceName) =>
    Array.from({ length: perService }, () => createClient(origins[service], timeoutMs))
  const pools = { registry: open('registry'), sender: open('sender') }
  const spare = {
    registry: createClient(origins.registry, timeoutMs),
    sender: createClient(origins.sender, timeoutMs),
  }
  const send = (one: Case, client: Client) =>
    client.ask(bytesOf(one.draft, new URL(origins[one.operation.service]).host))
  return {
    async sendAll(cases, onReply) {
      const lanes = (['registry', 'sender'] as const).flatMap((service) => {
        // The lanes of a service take from one list.
        const waiting = cases.filter(({ operation }) => operation.service === service).values()
        return pools[service].map(async (client) => {
          for (const one of waiting) onReply(one, await send(one, client))
        })
      })
      await Promise.all(lanes)
    },
    sendAlone: (one) => send(one, spare[one.operation.service]),
    close() {
      for (const client of [...pools.registry, ...pools.sender, spare.registry, spare.sender]) {
        client.close()
      }
    },
  }
}
