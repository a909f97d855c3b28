import { setTimeout as sleep } from 'node:timers/promises'
import type { Instance, LocalRun } from '@pushkeep/local-runner'

export interface Call {
  method: string
  path: string
  body?: unknown
  /** Makes a repeat of a message harmless. */
  idempotencyKey?: string
}

/** How one call went. Times in ms. */
export interface CallRecord {
  at: number
  /** Of the try that was answered. */
  ms: number
  /** How often it had to be repeated before. */
  repeats: number
}

/** Calls as a backend behind a load balancer makes them, and how they went. */
export interface Calls {
  registry(call: Call): Promise<unknown>
  sender(call: Call): Promise<unknown>
  records: CallRecord[]
}

const deadlineMs = 60_000
const pauseMs = 150

/**
 * Calls take the processes of a service in turn. A fault is no answer: the call is repeated, at another
 * process, until there is a 2xx. A 4xx is a bug and ends the run.
 */
export function createCalls(run: LocalRun): Calls {
  const records: CallRecord[] = []
  let turn = 0

  async function persist(instances: readonly Instance[], call: Call): Promise<unknown> {
    const deadline = Date.now() + deadlineMs
    turn += 1
    const first = turn
    for (let repeats = 0; ; repeats += 1) {
      const instance = instances[(first + repeats) % instances.length]
      if (!instance) throw new Error('there is no process to call')
      const at = Date.now()
      const answer = await attempt(instance.url, run.local.secret_key, call)
      if (answer !== null) {
        records.push({ at, ms: Date.now() - at, repeats })
        return answer.body
      }
      if (Date.now() > deadline) throw new Error(`${call.method} had no answer for a minute`)
      await sleep(pauseMs)
    }
  }

  return {
    registry: (call) => persist(run.registries, call),
    sender: (call) => persist(run.senders, call),
    records,
  }
}

async function attempt(url: string, key: string, call: Call): Promise<{ body: unknown } | null> {
  const { method, path, body, idempotencyKey } = call
  try {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      signal: AbortSignal.timeout(20_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (response.ok) return { body: text === '' ? null : JSON.parse(text) }
    if (response.status < 500) throw new Refused(`${response.status} ${text}`)
    return null
  } catch (error) {
    if (error instanceof Refused) throw error
    return null
  }
}

class Refused extends Error {}
