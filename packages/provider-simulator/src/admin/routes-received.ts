import { z } from 'zod'
import { countReceived, listDuplicates, listReceived } from '../journal/received.ts'
import { AdminProblem, valid, Whole } from './http.ts'
import type { AdminWorld, Route } from './route.ts'

const WAIT_MS = 10_000
const WAIT_MS_MAX = 120_000
const LIST = 100
const LIST_MAX = 10_000

const Provider = z.enum(['apns', 'fcm'])
const Filter = z.strictObject({
  provider: Provider.optional(),
  token: z.string().optional(),
  apns_id: z.string().optional(),
  message_id: z.string().optional(),
})
const List = Filter.extend({
  after: Whole.default(0),
  limit: Whole.min(1).max(LIST_MAX).default(LIST),
  payload: z.enum(['0', '1']).default('0'),
})
const Wait = z.strictObject({
  accepted: Whole,
  timeout_ms: Whole.max(WAIT_MS_MAX).default(WAIT_MS),
  provider: Provider.optional(),
})

/** `/received`: what arrived. */
export function receivedRoutes({ simulation }: AdminWorld): Route[] {
  const { ledger } = simulation
  const { journal } = ledger
  const dropped = () => journal?.dropped ?? 0
  return [
    {
      method: 'GET',
      path: /^\/received$/,
      answer: ({ query }) => {
        const { payload, ...wanted } = valid(List, query)
        if (journal === null) throw noEntries()
        const body = listReceived(journal, { ...wanted, payload: payload === '1' })
        return { status: 200, body }
      },
    },
    {
      method: 'GET',
      path: /^\/received\/count$/,
      answer: ({ query }) => {
        const { provider, ...others } = valid(Filter, query)
        const narrowed = Object.keys(others).length > 0
        if (narrowed && journal === null) throw noEntries()
        const count =
          narrowed && journal !== null
            ? countReceived(journal, { provider, ...others })
            : ledger.count(provider)
        return { status: 200, body: { ...count, dropped: dropped() } }
      },
    },
    {
      method: 'GET',
      path: /^\/received\/duplicates$/,
      answer: () => ({ status: 200, body: listDuplicates(ledger) }),
    },
    {
      method: 'GET',
      path: /^\/received\/wait$/,
      answer: async ({ query }) => {
        const { accepted, provider, timeout_ms } = valid(Wait, query)
        const reached = await ledger.waitForAccepted(accepted, provider, timeout_ms)
        return { status: 200, body: { reached, ...ledger.count(provider), dropped: dropped() } }
      },
    },
    {
      method: 'DELETE',
      path: /^\/received$/,
      answer: () => {
        ledger.forget()
        return { status: 204 }
      },
    },
  ]
}

function noEntries(): AdminProblem {
  return new AdminProblem(409, 'The journal keeps counts only: start with --journal full')
}
