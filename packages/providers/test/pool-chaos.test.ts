import { constants } from 'node:http2'
import { expect, test } from 'vitest'
import type { RequestResult } from '../src/exchange.ts'
import type { Fault } from './fault-server.ts'
import { poolTo, send, serve, until } from './pool-harness.ts'

const neverSent = new Set(['not-processed', 'unreachable', 'unsent'])

/** mulberry32: the same faults in each run of the test. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A server that serves most requests and does everything else that connections suffer. */
function chaos(random: () => number): Fault {
  const lastIds = new Map<object, number>()
  return (arrival, server) => {
    const { stream, session } = arrival
    const id = Number(stream.id)
    if (session.destroyed) return
    if (id > (lastIds.get(session) ?? Number.POSITIVE_INFINITY)) return
    const chance = random()
    if (chance < 0.04) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM)
    } else if (chance < 0.05) {
      stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    } else if (chance < 0.06) {
      server.served.set(String(arrival.headers['apns-id']), 1)
      stream.close(constants.NGHTTP2_CANCEL)
    } else if (chance < 0.063) {
      session.socket.destroy()
    } else if (chance < 0.066) {
      session.destroy()
    } else if (chance < 0.067) {
      return
    } else {
      if (chance > 0.995 && !lastIds.has(session)) {
        lastIds.set(session, id)
        session.goaway(constants.NGHTTP2_NO_ERROR, id)
      }
      setTimeout(() => server.answer(arrival), random() * 5)
    }
  }
}

test.each([1, 2, 3])(
  'whatever happens, each request ends once and truthfully (seed %i)',
  async (seed) => {
    const server = await serve(chaos(randomFrom(seed)), { settings: { maxConcurrentStreams: 50 } })
    const pool = poolTo(server, {
      requestTimeoutMs: 300,
      connectBackoff: { firstMs: 5, capMs: 20 },
      maxSessions: 3,
    })
    const results = new Map<string, RequestResult[]>()
    let next = 0
    const lane = async () => {
      while (next < 4000) {
        const id = `id-${next++}`
        results.set(id, [...(results.get(id) ?? []), await send(pool, id)])
      }
    }
    await Promise.all(Array.from({ length: 100 }, lane))
    const kinds = new Set<string>()
    for (const [id, list] of results) {
      const times = server.served.get(id) ?? 0
      const [result] = list
      kinds.add(result?.kind ?? 'none')
      expect(list).toHaveLength(1)
      if (result?.kind === 'answered') expect(times).toBe(1)
      if (result && neverSent.has(result.kind)) expect(times).toBe(0)
      if (result?.kind === 'unknown') expect(times).toBeLessThan(2)
    }
    expect(results.size).toBe(4000)
    expect(kinds).toContain('answered')
    expect(kinds).toContain('unknown')
    await until(() => pool.stats().streams === 0)
    expect(pool.stats().queued).toBe(0)
  },
)
