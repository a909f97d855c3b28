import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Stream,
} from 'node:http2'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { KeyAndCertificate } from '../certificates.ts'
import type { ProviderFaults } from '../faults.ts'
import { Connection } from './connection.ts'
import { Gate, type GateMode } from './gate.ts'
import { REFUSED_STREAM } from './reply.ts'
import type { Traffic } from './traffic.ts'

/** Handles one request's stream. */
export type StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

/** What a listener serves and under which conditions. */
export interface ListenerSettings {
  certificate: KeyAndCertificate
  /** Of an authority that nobody trusts, for the fault of that name. */
  untrusted: KeyAndCertificate
  /** Live: read at each connection and stream. */
  faults: ProviderFaults
  traffic: Traffic
  maxStreams: number
  /** Whether a new connection begins with one stream. */
  startsCold: () => boolean
  goawayPayload?: Buffer | undefined
  nextConnectionId: () => number
  /** Called once a connection; what it returns handles the connection's streams. */
  open: (connection: Connection) => StreamHandler
  /** Takes a connection that speaks HTTP/1.1; without it only HTTP/2 is offered. */
  openHttp1?: ((connection: Connection) => void) | undefined
}

/** So high that no protection of Node's own takes part in a simulation. */
const NO_LIMITS = {
  maxSessionMemory: 1000,
  maxSessionRejectedStreams: 1_000_000,
  streamResetBurst: 1_000_000,
  streamResetRate: 1_000_000,
  maxOutstandingSettings: 1_000_000,
}

/** One TLS port of one provider: its connections and the faults that happen below a request. */
export class Listener {
  readonly #settings: ListenerSettings
  readonly #connections = new Set<Connection>()
  readonly #tls: Server
  readonly #gate: Gate
  #wasSilent = false
  #wasUntrusted = false
  #goawayEvery = 0

  constructor(settings: ListenerSettings) {
    this.#settings = settings
    const { key, cert } = settings.certificate
    const ALPNProtocols = settings.openHttp1 === undefined ? ['h2'] : ['h2', 'http/1.1']
    this.#tls = createServer({ key, cert, ALPNProtocols }, (socket) => this.#connect(socket))
    this.#gate = new Gate(
      () => this.#gateMode(),
      (socket) => this.#tls.emit('connection', socket),
      () => {
        settings.traffic.refusedConnections += 1
      },
    )
  }

  listen(port: number, host: string): Promise<number> {
    return this.#gate.listen(port, host)
  }

  /** Brings connections that are open already in line with the faults. */
  applyFaults(): void {
    const { silent, refuse, untrusted, goaway_every } = this.#settings.faults
    if (untrusted !== this.#wasUntrusted) this.#present(untrusted)
    // A silence ends as a dead link does: what was sent into it was never received.
    if (refuse || (this.#wasSilent && !silent)) this.#gate.dropAll()
    this.#wasSilent = silent
    for (const connection of this.#connections) {
      if (silent) connection.silence()
      if (goaway_every !== this.#goawayEvery) connection.admitted = 0
      if (!this.#settings.startsCold()) connection.cold = false
      if (!connection.cold) connection.setMaxStreams(this.#maxStreams())
    }
    this.#goawayEvery = goaway_every
  }

  /** New connections get that certificate; those that were made under the other one end. */
  #present(untrusted: boolean): void {
    this.#wasUntrusted = untrusted
    this.#tls.setSecureContext(untrusted ? this.#settings.untrusted : this.#settings.certificate)
    this.#gate.dropAll()
  }

  /** Lets a connection use all streams, once it has shown a valid credential. */
  warm(connection: Connection): void {
    connection.cold = false
    connection.setMaxStreams(this.#maxStreams())
  }

  /** Sends a graceful GOAWAY on every connection; the number of those that got one. */
  goawayAll(): number {
    return [...this.#connections].filter((connection) => this.#goaway(connection)).length
  }

  async close(): Promise<void> {
    await this.#gate.close()
  }

  #gateMode(): GateMode {
    if (this.#settings.faults.refuse) return 'refuse'
    return this.#settings.faults.silent ? 'hold' : 'open'
  }

  #maxStreams(): number {
    return this.#settings.faults.max_concurrent_streams ?? this.#settings.maxStreams
  }

  #connect(socket: TLSSocket): void {
    const connection =
      socket.alpnProtocol === 'h2' ? this.#openHttp2(socket) : this.#openHttp1(socket)
    if (connection === null) return
    const { traffic } = this.#settings
    traffic.connects += 1
    traffic.openSessions += 1
    this.#connections.add(connection)
    socket.once('close', () => {
      traffic.openSessions -= 1
      this.#connections.delete(connection)
    })
    if (this.#settings.faults.silent) connection.silence()
  }

  #openHttp2(socket: TLSSocket): Connection {
    const cold = this.#settings.startsCold()
    const maxConcurrentStreams = cold ? 1 : this.#maxStreams()
    const session = performServerHandshake(socket, {
      ...NO_LIMITS,
      settings: { maxConcurrentStreams },
    })
    session.on('error', ignore)
    const id = this.#settings.nextConnectionId()
    const connection = new Connection(id, socket, session, maxConcurrentStreams)
    connection.cold = cold
    const handle = this.#settings.open(connection)
    session.on('stream', (stream, headers) => {
      stream.on('error', ignore)
      if (!this.#admits(connection, stream)) return
      connection.streamOpened()
      this.#settings.traffic.streamOpened()
      stream.on('close', () => {
        this.#settings.traffic.streamClosed()
        connection.streamClosed()
      })
      handle(stream, headers)
    })
    return connection
  }

  #openHttp1(socket: TLSSocket): Connection | null {
    socket.on('error', ignore)
    if (this.#settings.openHttp1 === undefined) {
      socket.destroy()
      return null
    }
    const connection = new Connection(this.#settings.nextConnectionId(), socket)
    this.#settings.openHttp1(connection)
    return connection
  }

  /** Whether a stream is processed at all. One that is not leaves no trace. */
  #admits(connection: Connection, stream: ServerHttp2Stream): boolean {
    const { faults, traffic } = this.#settings
    const id = stream.id ?? 0
    if (connection.silenced || id > connection.lastAllowed) return false
    if (faults.refuse_streams > 0) {
      faults.refuse_streams -= 1
      traffic.refusedStreams += 1
      stream.close(REFUSED_STREAM)
      return false
    }
    if (faults.goaway_every > 0 && !this.#admitsBeforeGoaway(connection, id)) return false
    connection.lastProcessed = id
    return true
  }

  /** Counts up to the GOAWAY; the last `goaway_unprocessed` streams before it are held back. */
  #admitsBeforeGoaway(connection: Connection, id: number): boolean {
    const { goaway_every, goaway_unprocessed } = this.#settings.faults
    const processed = Math.max(1, goaway_every - goaway_unprocessed)
    connection.admitted += 1
    const isProcessed = connection.admitted <= processed
    if (isProcessed) connection.lastProcessed = id
    if (connection.admitted >= goaway_every) this.#goaway(connection)
    else if (!isProcessed) connection.goawaySoon(() => this.#goaway(connection))
    return isProcessed
  }

  #goaway(connection: Connection): boolean {
    if (!connection.goaway(this.#settings.goawayPayload)) return false
    this.#settings.traffic.goawaysSent += 1
    return true
  }
}

function ignore(): void {}
