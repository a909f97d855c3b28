import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { Counter } from 'prom-client'
import { integer } from './config.ts'
import type { Metrics } from './metrics/metrics.ts'

/** How many connections a server keeps open. */
export interface ConnectionLimits {
  /** In all: Node drops those beyond. */
  max: number
  /** From one address; 0: as many as there are. A proxy in front has the connections of all its callers. */
  perAddress: number
  /** How long a connection may stay open that has sent nothing, in milliseconds. */
  silentMs: number
}

export const usualConnections: ConnectionLimits = {
  max: 10_000,
  perAddress: 2000,
  silentMs: 10_000,
}

/** The variables of the environment that set them. */
export const connectionConfig = {
  HTTP_CONNECTIONS: integer({ min: 10, max: 100_000 }).prefault(String(usualConnections.max)),
  HTTP_CONNECTIONS_PER_ADDRESS: integer({ min: 0, max: 100_000 }).prefault(
    String(usualConnections.perAddress),
  ),
}

const lookEveryMs = 1000

/**
 * Bounds a server's connections: in all, by address, and those that send nothing. Node's own limits of time begin
 * with the first byte.
 */
export function limitConnections(
  app: FastifyInstance,
  limits: ConnectionLimits,
  metrics: Metrics | undefined,
): void {
  const refused = metrics && refusalCounter(metrics)
  const open = new Map<string, number>()
  const young = new Map<Socket, number>()
  const { server } = app
  server.maxConnections = limits.max
  server.on('drop', () => refused?.inc({ reason: 'all' }))
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    const count = (open.get(address) ?? 0) + 1
    open.set(address, count)
    socket.once('close', () => {
      young.delete(socket)
      const left = (open.get(address) ?? 1) - 1
      if (left > 0) open.set(address, left)
      else open.delete(address)
    })
    if (limits.perAddress > 0 && count > limits.perAddress) {
      refused?.inc({ reason: 'address' })
      socket.destroy()
    } else young.set(socket, performance.now())
  })
  const timer = setInterval(() => {
    // The oldest is the first.
    for (const [socket, since] of young) {
      if (performance.now() - since < limits.silentMs) return
      young.delete(socket)
      if (socket.bytesRead > 0) continue
      refused?.inc({ reason: 'silent' })
      socket.destroy()
    }
  }, lookEveryMs)
  timer.unref()
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer)
    done()
  })
}

function refusalCounter(metrics: Metrics) {
  const counter = new Counter({
    name: 'pushkeep_http_connections_refused_total',
    help: 'Connections that were closed: too many in all, too many of one address, or silent',
    labelNames: ['reason'],
    registers: [metrics.registry],
  })
  for (const reason of ['all', 'address', 'silent']) counter.inc({ reason }, 0)
  return counter
}
