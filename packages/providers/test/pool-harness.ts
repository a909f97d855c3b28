import { afterEach } from 'vitest'
import type { RequestResult } from '../src/exchange.ts'
import { type PoolSettings, poolDefaults } from '../src/pool-settings.ts'
import { SessionPool } from '../src/session-pool.ts'
import { type Fault, type FaultServer, startFaultServer } from './fault-server.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

const cleanups: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Runs after the test, the last one first. */
export function cleanUp(cleanup: () => Promise<void>): void {
  cleanups.push(cleanup)
}

export async function serve(
  fault: Fault,
  options?: Parameters<typeof startFaultServer>[1],
): Promise<FaultServer> {
  const server = await startFaultServer(fault, options)
  cleanUp(server.close)
  return server
}

export async function proxyTo(server: FaultServer): Promise<TcpProxy> {
  const proxy = await startTcpProxy(Number(new URL(server.url).port))
  cleanUp(proxy.close)
  return proxy
}

export function poolTo(
  server: { url: string; ca?: string },
  settings: Partial<PoolSettings> = {},
): SessionPool {
  const pool = new SessionPool(server.url, server.ca, {
    ...poolDefaults,
    maxStreams: 1000,
    maxSessions: 8,
    // Bursts are to meet the peer's limits, however slow this machine is.
    inFlightMin: 1000,
    inFlightStart: 1000,
    queueTimeoutMs: 15_000,
    ...settings,
  })
  cleanUp(() => pool.close(0))
  return pool
}

const body = Buffer.from('{"aps":{"alert":"hello"}}')

export function requestHeaders(id: string): string[] {
  return [':method', 'POST', ':path', '/3/device/00', 'apns-id', id]
}

export function send(pool: SessionPool, id = 'id', isUrgent = false): Promise<RequestResult> {
  return new Promise((resolve) => {
    pool.request(requestHeaders(id), body, isUrgent, resolve)
  })
}

/** Sends `count` requests at once, named id-0, id-1, … */
export function burst(pool: SessionPool, count: number): Promise<RequestResult[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => send(pool, `id-${index}`)))
}

/** Keeps `inFlight` requests under way until `count` of them have been answered. */
export async function stream(
  pool: SessionPool,
  count: number,
  inFlight: number,
): Promise<RequestResult[]> {
  const results: RequestResult[] = []
  let next = 0
  const lane = async () => {
    while (next < count) results.push(await send(pool, `id-${next++}`))
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
  return results
}

/** How many results of each kind there are: `200`, `unknown timeout`, `not-processed …`. */
export function tally(results: RequestResult[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const result of results) {
    const key =
      result.kind === 'answered' ? String(result.status) : `${result.kind} ${result.reason}`
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

/** The requests that the server served more than once. */
export function doubled(server: FaultServer): string[] {
  return [...server.served].filter(([, times]) => times > 1).map(([id]) => id)
}

/** Waits until a condition holds; fails after five seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('the condition did not come true in 5 s')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
