import { Pool } from 'undici'

export interface LoadRequest {
  method: 'GET' | 'PUT' | 'POST'
  path: string
  body?: string
}

export interface LoadResult {
  requests: number
  seconds: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** Answers by status. */
  statuses: Record<string, number>
}

export interface LoadOptions {
  url: string
  headers: Record<string, string>
  connections: number
  /** How many requests in all. */
  count: number
  /** The n-th request. */
  request: (n: number) => LoadRequest
}

/** Keeps every connection busy until `count` requests are answered. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const pool = new Pool(options.url, { connections: options.connections, pipelining: 1 })
  const times: number[] = []
  const statuses: Record<string, number> = {}
  let next = 0
  async function worker() {
    while (next < options.count) {
      const { method, path, body } = options.request(next)
      next += 1
      const began = performance.now()
      const answer = await pool.request({
        method,
        path,
        headers: options.headers,
        ...(body === undefined ? {} : { body }),
      })
      await answer.body.dump()
      times.push(performance.now() - began)
      statuses[answer.statusCode] = (statuses[answer.statusCode] ?? 0) + 1
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: options.connections }, worker))
  const seconds = (performance.now() - began) / 1000
  await pool.close()
  times.sort((a, b) => a - b)
  return {
    requests: times.length,
    seconds,
    perSecond: times.length / seconds,
    p50Ms: times[Math.floor(times.length * 0.5)] ?? 0,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
    statuses,
  }
}
