import { connect, type Socket } from 'node:net'
import { quantile } from './report.ts'

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
  /** How many a second at most; left out: as many as are answered. */
  ratePerSecond?: number | undefined
  /** The n-th request. */
  request: (n: number) => LoadRequest
}

/**
 * Keeps every connection busy until `count` requests are answered. Plain sockets and just enough
 * HTTP/1.1: on a machine of two cores a full client would take one of them for itself.
 */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const times: number[] = []
  const statuses: Record<string, number> = {}
  let next = 0
  const began = performance.now()
  const take = (): Turn | null => {
    if (next >= options.count) return null
    const n = next++
    const due = options.ratePerSecond ? began + (n * 1000) / options.ratePerSecond : began
    return { request: options.request(n), due }
  }
  await Promise.all(
    Array.from({ length: options.connections }, () =>
      converse(options, take, (status, ms) => {
        times.push(ms)
        statuses[status] = (statuses[status] ?? 0) + 1
      }),
    ),
  )
  const seconds = (performance.now() - began) / 1000
  times.sort((a, b) => a - b)
  return {
    requests: times.length,
    seconds,
    perSecond: times.length / seconds,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    statuses,
  }
}

/** A request and when it is due, by the monotonic clock: waiting for its connection counts. */
interface Turn {
  request: LoadRequest
  due: number
}

/** One connection: a request, its answer, the next request. */
function converse(
  options: LoadOptions,
  take: () => Turn | null,
  answered: (status: number, ms: number) => void,
): Promise<void> {
  const { hostname, port, host } = new URL(options.url)
  const fixed = Object.entries({ host, ...options.headers }).map(([k, v]) => `${k}: ${v}\r\n`)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    let began = 0
    let text = ''
    const send = () => {
      const turn = take()
      if (!turn) {
        socket.end(resolve)
        return
      }
      const now = performance.now()
      began = options.ratePerSecond ? turn.due : now
      const write = () => writeTo(socket, turn.request, fixed.join(''))
      if (turn.due > now) setTimeout(write, turn.due - now)
      else write()
    }
    socket.setEncoding('latin1')
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('data', (chunk: string) => {
      text += chunk
      const status = wholeAnswer(text)
      if (status === null) return
      text = ''
      answered(status, performance.now() - began)
      send()
    })
  })
}

function writeTo(socket: Socket, { method, path, body = '' }: LoadRequest, headers: string): void {
  const length = Buffer.byteLength(body)
  socket.write(`${method} ${path} HTTP/1.1\r\n${headers}content-length: ${length}\r\n\r\n${body}`)
}

/** The status of an answer once all of it has come, else null. */
function wholeAnswer(text: string): number | null {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const length = /\r\ncontent-length: (\d+)/i.exec(text)
  if (text.length - end - 4 < Number(length?.[1] ?? 0)) return null
  return Number(text.slice(9, 12))
}
