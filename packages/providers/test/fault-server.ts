import { once } from 'node:events'
import {
  createSecureServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2'
import { certificate, privateKey } from './localhost-certificate.ts'

/** One request as the server saw it. `order` counts from 1 over all connections. */
export interface Arrival {
  stream: ServerHttp2Stream
  headers: IncomingHttpHeaders
  session: Http2Session
  order: number
}

/** What the server does with a request once it has read it; a request is served by `answer`. */
export type Fault = (arrival: Arrival, server: FaultServer) => void

export interface FaultServer {
  url: string
  ca: string
  sessions: Http2Session[]
  /** How often each request was served, by its `apns-id` (or path where it has none). */
  served: Map<string, number>
  /** Most streams that were open at once on one connection. */
  peakStreams: number
  refused: number
  answer(arrival: Arrival, status?: number, body?: string, headers?: Record<string, string>): void
  close(): Promise<void>
}

/**
 * An HTTP/2 server over TLS that does with each request what a test says. With `enforce`, streams
 * over `allowed` are refused as by a peer that counts.
 */
export async function startFaultServer(
  fault: Fault,
  options: { settings?: Settings; port?: number; allowed?: () => number } = {},
): Promise<FaultServer> {
  const http2 = createSecureServer({
    key: privateKey,
    cert: certificate,
    settings: options.settings ?? {},
  })
  const sockets = new Set<{ destroy(): void }>()
  const open = new Map<Http2Session, number>()
  let order = 0
  http2.on('sessionError', () => {})
  http2.on('session', (session) => {
    server.sessions.push(session)
    session.on('error', () => {})
  })
  http2.on('secureConnection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  http2.on('stream', (stream, headers) => {
    // Before anything else: a stream whose session has just ended fails, too.
    stream.on('error', () => {})
    const { session } = stream
    if (!session) return
    const streams = (open.get(session) ?? 0) + 1
    open.set(session, streams)
    stream.on('close', () => open.set(session, (open.get(session) ?? 1) - 1))
    if (options.allowed && streams > options.allowed()) {
      server.refused += 1
      stream.close(7)
      return
    }
    server.peakStreams = Math.max(server.peakStreams, streams)
    order += 1
    const arrival = { stream, headers, session, order }
    stream.resume()
    stream.on('end', () => fault(arrival, server))
  })
  http2.listen(options.port ?? 0, '127.0.0.1')
  await once(http2, 'listening')
  const address = http2.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const server: FaultServer = {
    url: `https://localhost:${port}`,
    ca: certificate,
    sessions: [],
    served: new Map(),
    peakStreams: 0,
    refused: 0,
    answer: ({ stream, headers }, status = 200, body = '', extra = {}) => {
      if (stream.destroyed || stream.closed) return
      const name = String(headers['apns-id'] ?? headers[':path'])
      server.served.set(name, (server.served.get(name) ?? 0) + 1)
      stream.respond({ ':status': status, ...extra }, { endStream: body === '' })
      if (body !== '') stream.end(body)
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      http2.close()
      if (http2.listening) await once(http2, 'close')
    },
  }
  return server
}
