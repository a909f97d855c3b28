import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  connect,
  constants,
  type SecureClientSessionOptions,
} from 'node:http2'
import type { Socket } from 'node:net'
import { accepted, cutShort, refusal, resetName } from './answer.ts'
import { type Exchange, type RequestResult, settle } from './exchange.ts'
import { attend, collectBody, type ResponseHeaders, type StreamOwner } from './live-stream.ts'
import { type SilenceSettings, SilenceWatch } from './silence-watch.ts'

/** Times in ms. */
export interface SessionSettings extends SilenceSettings {
  /** Most streams at once, whatever the peer allows. */
  maxStreams: number
  /** From writing a request to giving up on its answer. */
  requestTimeoutMs: number
  /** From the start to the peer's SETTINGS: DNS, TCP and TLS. */
  connectTimeoutMs: number
  /** A clock that only goes forward, in ms. */
  clock: () => number
}

/** Whom a session tells what happened. */
export interface SessionHost {
  /** A stream ended, or the peer allows more of them. */
  onRoom(): void
  /** An answer's headers came, `ms` after its request was written. */
  onAnswer(ms: number): void
  onGoaway(session: Session): void
  onTimeout(): void
  onSilence(): void
  /** The peer has certainly not acted on this request. */
  onUnprocessed(exchange: Exchange, why: 'goaway' | 'refused'): void
  onEnded(session: Session): void
}

// Shared by all requests; without it Node looks at the method to find out whether a body follows.
const withBody: ClientSessionRequestOptions = { endStream: false }

/**
 * One HTTP/2 connection. It takes requests up to what the peer allows and finds out for each of
 * them whether it was answered, not processed, or unknown. Opening another one is the pool's part.
 */
export class Session implements StreamOwner {
  readonly #http2: ClientHttp2Session
  readonly #settings: SessionSettings
  readonly #host: SessionHost
  /** In the order of writing, so that the oldest is looked at first. */
  readonly #live = new Set<Exchange>()
  readonly #startedAt: number
  readonly #watch: SilenceWatch
  #state: 'connecting' | 'open' | 'draining' | 'ended' = 'connecting'
  #peerLimit = 1
  /** How many streams the peer carried when it refused one, plus one for each answer since. */
  #provenLimit = Number.POSITIVE_INFINITY
  #lastStreamId = Number.POSITIVE_INFINITY
  #answeredAt = Number.NEGATIVE_INFINITY
  #endReason = 'connection-lost'
  #isRetired = false
  #socket: Socket | null = null

  /** Starts connecting to an origin, such as `https://api.push.apple.com`. */
  constructor(
    origin: string,
    options: SecureClientSessionOptions,
    settings: SessionSettings,
    host: SessionHost,
  ) {
    this.#settings = settings
    this.#host = host
    this.#startedAt = settings.clock()
    this.#watch = new SilenceWatch(settings, this.#startedAt)
    // Node assumes 100 streams until SETTINGS arrive, and APNs starts with one: "only one stream
    // until the first request with a valid token".
    // https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
    this.#http2 = connect(origin, { ...options, peerMaxConcurrentStreams: 1 })
    this.#http2.on('connect', (_session, socket) => {
      this.#socket = socket
      // Node hears its errors only as long as the session lives, and the socket outlives it.
      socket.on('error', () => {})
    })
    this.#http2.on('error', (error) => this.#failed(error))
    this.#http2.on('close', () => this.#ended())
    this.#http2.on('remoteSettings', (peer) => this.#allowed(peer.maxConcurrentStreams))
    this.#http2.on('goaway', (code, lastStreamId) => this.#goneAway(code, lastStreamId))
  }

  /** Streams open now. */
  get streams(): number {
    return this.#live.size
  }

  /** Streams that it may have open at once. */
  get limit(): number {
    return Math.min(this.#peerLimit, this.#provenLimit, this.#settings.maxStreams)
  }

  get isConnecting(): boolean {
    return this.#state === 'connecting'
  }

  /** Whether new requests may go to it, now or soon. */
  get isUsable(): boolean {
    return this.#state === 'connecting' || this.#state === 'open'
  }

  /** Still at one stream because the peer has not answered anything: more room is about to come. */
  get isWarmingUp(): boolean {
    return this.isConnecting || (this.#state === 'open' && this.limit <= 1 && !this.hasAnswered)
  }

  get hasAnswered(): boolean {
    return this.#answeredAt !== Number.NEGATIVE_INFINITY
  }

  /** It ended by itself without having answered anything. */
  get hasFailed(): boolean {
    return !this.hasAnswered && !this.#isRetired
  }

  get endReason(): string {
    return this.#endReason
  }

  get hasRoom(): boolean {
    return (
      this.#state === 'open' &&
      this.#live.size < this.limit &&
      !this.#http2.closed &&
      !this.#http2.destroyed
    )
  }

  /** Writes a request. Only while `hasRoom`. */
  send(exchange: Exchange): void {
    exchange.writtenAt = this.#settings.clock()
    const stream = this.#http2.request(exchange.headers, withBody)
    exchange.stream = stream
    this.#live.add(exchange)
    attend(stream, exchange, this)
    stream.end(exchange.body)
  }

  /** Looks after deadlines and silence. To be called every so often, `now` by the same clock. */
  sweep(now: number): void {
    if (this.#state === 'ended') return
    if (this.#state === 'connecting') {
      if (now - this.#startedAt >= this.#settings.connectTimeoutMs) this.destroy('timeout')
      return
    }
    if (this.#http2.destroyed) {
      this.destroy(this.#endReason)
      return
    }
    this.#expire(now)
    this.#ask(now)
  }

  /** Takes no more requests; ends when those under way have ended. */
  drain(): void {
    if (this.#state === 'ended') return
    this.#isRetired = true
    if (this.isConnecting) {
      this.destroy('closed')
      return
    }
    this.#state = 'draining'
    this.#http2.close()
  }

  /** Ends at once. Requests under way become unknown, for this reason. */
  destroy(reason: string): void {
    if (this.#state === 'ended') return
    this.#endReason = reason
    this.#http2.destroy()
    // A session that closed in good order waits for the peer's FIN, destroyed or not, and tells
    // nobody: 'close' came late or never in 1 of some 1,000 GOAWAYs (Node 24.21).
    this.#socket?.destroy()
    setImmediate(() => this.#ended())
  }

  answered(exchange: Exchange, stream: ClientHttp2Stream, headers: ResponseHeaders): void {
    if (exchange.stream !== stream) return
    this.#answeredAt = this.#settings.clock()
    this.#host.onAnswer(this.#answeredAt - exchange.writtenAt)
    this.#watch.heard(this.#answeredAt)
    this.#provenLimit += 1
    const status = headers[':status'] ?? 0
    if (status === 200) {
      settle(exchange, accepted)
      stream.resume()
      return
    }
    exchange.status = status
    exchange.retryAfter = headers['retry-after'] ?? null
    collectBody(stream, exchange)
  }

  closed(exchange: Exchange, stream: ClientHttp2Stream): void {
    if (exchange.stream !== stream) return
    exchange.stream = null
    this.#live.delete(exchange)
    if (!exchange.isSettled) this.#unanswered(exchange, stream)
    this.#host.onRoom()
  }

  #unanswered(exchange: Exchange, stream: ClientHttp2Stream): void {
    if (exchange.status !== 0) {
      settle(exchange, refusal(exchange, stream))
    } else if (stream.id === undefined || stream.id > this.#lastStreamId) {
      this.#host.onUnprocessed(exchange, 'goaway')
    } else if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) {
      // Also what nghttp2 gives to a request that a GOAWAY kept from being written.
      this.#provenLimit = Math.min(this.#provenLimit, Math.max(1, this.#live.size))
      this.#host.onUnprocessed(exchange, 'refused')
    } else {
      const reset = resetName(stream.rstCode)
      const reason = this.#http2.destroyed ? this.#endReason : `reset ${reset}`
      settle(exchange, { kind: 'unknown', reason })
    }
  }

  #allowed(maxStreams: number | undefined): void {
    this.#watch.heard(this.#settings.clock())
    this.#peerLimit = maxStreams ?? Number.POSITIVE_INFINITY
    if (this.#state === 'connecting') this.#state = 'open'
    this.#host.onRoom()
  }

  #goneAway(code: number, lastStreamId: number): void {
    this.#lastStreamId = lastStreamId
    // After an error Node ends the connection at once, and with it what might still be answered.
    if (code !== constants.NGHTTP2_NO_ERROR) this.#endReason = `goaway ${resetName(code)}`
    // A graceful end sends two: one with 2^31-1, then one with the id that counts.
    if (!this.isUsable) return
    this.#state = 'draining'
    this.#host.onGoaway(this)
  }

  #failed(error: Error): void {
    if (this.#endReason !== 'connection-lost') return
    this.#endReason = 'code' in error ? String(error.code) : 'connection-error'
  }

  #ended(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    for (const exchange of this.#live) {
      const { stream } = exchange
      if (stream) this.closed(exchange, stream)
    }
    this.#host.onEnded(this)
  }

  #expire(now: number): void {
    for (const exchange of this.#live) {
      const { stream, writtenAt } = exchange
      if (now - writtenAt < this.#settings.requestTimeoutMs) return
      if (!stream || stream.closed) continue
      if (!exchange.isSettled) {
        const result: RequestResult = { kind: 'unknown', reason: 'timeout' }
        settle(exchange, exchange.status === 0 ? result : cutShort(exchange))
        this.#host.onTimeout()
        // Not one answer since it was written: the peer pings but does not work.
        if (this.#answeredAt < writtenAt) this.drain()
      }
      stream.close(constants.NGHTTP2_CANCEL)
    }
  }

  #ask(now: number): void {
    const judgement = this.#watch.judge(now, this.#live.size > 0)
    if (judgement === 'give-up') {
      this.#host.onSilence()
      this.destroy('silent-connection')
    } else if (judgement === 'ask') {
      this.#http2.ping((error) => {
        if (!error) this.#watch.answered(this.#settings.clock())
      })
    }
  }
}
