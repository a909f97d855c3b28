import type { ServerHttp2Session } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { freeze } from './freeze.ts'

/** How long a stream held back for `goaway_unprocessed` waits for the ones after it. */
const HOLD_MS = 100

/** One client connection, over HTTP/2 or (FCM) HTTP/1.1. */
export class Connection {
  readonly id: number
  readonly socket: TLSSocket
  /** Null over HTTP/1.1. */
  readonly session: ServerHttp2Session | null
  /** Accepts data, answers nothing. */
  silenced = false
  /** Still offers the one stream it began with. */
  cold = false
  /** Streams let in since `goaway_every` last changed. */
  admitted = 0
  /** The highest stream that was let in: the last-stream-id of a GOAWAY. */
  lastProcessed = 0
  /** Streams above it are declared unprocessed. */
  lastAllowed = Number.POSITIVE_INFINITY
  #openStreams = 0
  #offered: number
  #goawayTimer: NodeJS.Timeout | null = null

  constructor(
    id: number,
    socket: TLSSocket,
    session: ServerHttp2Session | null = null,
    maxStreams = 0,
  ) {
    this.id = id
    this.socket = socket
    this.session = session
    this.#offered = maxStreams
  }

  streamOpened(): void {
    this.#openStreams += 1
  }

  streamClosed(): void {
    this.#openStreams -= 1
    this.#closeWhenDone()
  }

  silence(): void {
    this.silenced = true
    freeze(this.socket)
  }

  /** Ends it without a word. */
  lose(): void {
    this.socket.destroy()
  }

  /** Tells the client how many streams it may have open at once, where that is news. */
  setMaxStreams(count: number): void {
    const { session } = this
    if (session === null || session.destroyed || session.closed || count === this.#offered) return
    this.#offered = count
    session.settings({ maxConcurrentStreams: count })
  }

  /** Sends a GOAWAY soon, unless one is on its way already. */
  goawaySoon(send: () => void): void {
    this.#goawayTimer ??= setTimeout(send, HOLD_MS).unref()
  }

  /**
   * Sends a graceful GOAWAY: streams up to the last processed one are still answered, nghttp2
   * drops all others. False where there is nothing (more) to say goodbye to.
   */
  goaway(payload: Buffer | undefined): boolean {
    if (this.session === null || this.session.destroyed || Number.isFinite(this.lastAllowed)) {
      return false
    }
    if (this.#goawayTimer !== null) clearTimeout(this.#goawayTimer)
    this.lastAllowed = this.lastProcessed
    this.session.goaway(0, this.lastProcessed, payload)
    this.#closeWhenDone()
    return true
  }

  #closeWhenDone(): void {
    if (this.#openStreams > 0 || !Number.isFinite(this.lastAllowed)) return
    // `close` sends a GOAWAY of its own. Not before ours has left, else it could name a higher
    // last-stream-id than ours, which a client must take for a protocol error.
    setImmediate(() => this.session?.close())
  }
}
