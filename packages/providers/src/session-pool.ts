import type { SecureClientSessionOptions } from 'node:http2'
import { createSecureContext } from 'node:tls'
import { type Exchange, newExchange, type RequestResult, settle } from './exchange.ts'
import { WaitingRequests } from './exchange-queue.ts'
import { FailurePause } from './failure-pause.ts'
import { Pace } from './pace.ts'
import type { PoolSettings, PoolStats } from './pool-settings.ts'
import { Session, type SessionHost } from './session.ts'

/**
 * HTTP/2 connections to one origin, for as many requests as come: opened by demand, kept, watched
 * and replaced. Each request is answered exactly once, in bounded time, and never by an exception.
 */
export class SessionPool implements SessionHost {
  readonly #origin: string
  readonly #authority: string
  readonly #settings: PoolSettings
  readonly #options: SecureClientSessionOptions
  readonly #pace: Pace
  /** Told of connections that ended without a single answer. */
  readonly #connectPause: FailurePause
  readonly #waiting = new WaitingRequests()
  readonly #counts = {
    connects: 0,
    connectFailures: 0,
    goaways: 0,
    replaced: 0,
    resent: 0,
    timeouts: 0,
  }
  #sessions: Session[] = []
  #sweeper: NodeJS.Timeout | null = null
  #lastSweepAt = 0
  #queueTimer: NodeJS.Timeout | null = null
  #peakStreams = 0
  #surplusCheckedAt: number
  #isClosing = false
  #closeTimer: NodeJS.Timeout | null = null
  readonly #closed = Promise.withResolvers<void>()

  /** `origin` is an https URL without a path; `ca` PEM. Throws where one of them is not valid. */
  constructor(origin: string, ca: string | undefined, settings: PoolSettings) {
    const url = new URL(origin)
    this.#origin = url.origin
    this.#authority = url.host
    this.#settings = settings
    this.#pace = new Pace(settings)
    const { connectBackoff, clock, random } = settings
    this.#connectPause = new FailurePause(connectBackoff, clock, random)
    this.#surplusCheckedAt = clock()
    this.#options = {
      // One context for all connections: building one reads the roots anew.
      secureContext: createSecureContext(ca === undefined ? {} : { ca }),
      settings: { enablePush: false },
      // 1,000 streams with 4 KB each do not fit into Node's default of 10 MB.
      maxSessionMemory: 64,
    }
  }

  /**
   * Sends a request, now or when there is room. Urgent ones go first, and do not count on the pace.
   * `done` is called exactly once, and later.
   */
  request(
    headers: readonly string[],
    body: Buffer,
    isUrgent: boolean,
    done: (result: RequestResult) => void,
  ): void {
    const now = this.#settings.clock()
    const exchange = newExchange(headers, body, done, isUrgent, now)
    if (isUrgent) this.#pace.urgent(now)
    else this.#pace.requested(now, this.#streams())
    if (this.#isClosing) {
      queueMicrotask(() => settle(exchange, { kind: 'unsent', reason: 'closed' }))
      return
    }
    const isFirst = this.#waiting.size === 0 || (isUrgent && this.#waiting.urgent === 0)
    const session = isFirst ? this.#withMostRoom(isUrgent) : null
    if (session) session.send(exchange)
    else {
      this.#waiting.push(exchange)
      this.#attendLater()
    }
  }

  /** The value of `:authority`. */
  get authority(): string {
    return this.#authority
  }

  /** Requests that wait and are not urgent. */
  get backlog(): number {
    return this.#waiting.size - this.#waiting.urgent
  }

  stats(): PoolStats {
    const { limit } = this.#pace
    const [streams, queued] = [this.#streams(), this.#waiting.size]
    return { sessions: this.#sessions.length, streams, queued, limit, ...this.#counts }
  }

  /** Takes no more requests, finishes those it has for at most `deadlineMs`, ends the sessions. */
  close(deadlineMs: number): Promise<void> {
    if (!this.#isClosing) {
      this.#isClosing = true
      this.#closeTimer = setTimeout(() => this.#closeNow(), deadlineMs)
      this.#endIfDrained()
    }
    return this.#closed.promise
  }

  onRoom(): void {
    if (this.#waiting.size > 0) this.#pump()
    else if (this.#isClosing) this.#endIfDrained()
  }

  onAnswer(ms: number): void {
    this.#connectPause.succeeded()
    const { maxSessions, maxStreams, clock } = this.#settings
    this.#pace.answered(ms, this.#streams(), maxSessions * maxStreams, clock())
  }

  onGoaway(session: Session): void {
    this.#counts.goaways += 1
    // Requests that come while the last streams finish must not wait for a handshake.
    if (session.streams > 0 && !this.#isClosing) this.#connectIfNone()
  }

  onTimeout(): void {
    this.#counts.timeouts += 1
  }

  onSilence(): void {
    this.#counts.replaced += 1
  }

  onUnprocessed(exchange: Exchange, why: 'goaway' | 'refused'): void {
    const { clock, queueTimeoutMs, refusalsMax } = this.#settings
    // A refusal costs the peer nothing and may come back at once; a GOAWAY costs a connection, so
    // that time is bound enough: a burst on one may have to follow several.
    if (why === 'refused') exchange.refusals += 1
    if (exchange.refusals > refusalsMax) {
      settle(exchange, { kind: 'not-processed', reason: why })
      return
    }
    if (clock() - exchange.queuedAt >= queueTimeoutMs) {
      settle(exchange, { kind: 'unsent', reason: why })
      return
    }
    this.#counts.resent += 1
    this.#waiting.unshift(exchange)
    this.#pump()
  }

  onEnded(session: Session): void {
    this.#sessions = this.#sessions.filter((other) => other !== session)
    if (session.hasFailed) this.#connectFailed(session)
    if (this.#waiting.size > 0) this.#pump()
    if (this.#isClosing) this.#endIfDrained()
    if (this.#sessions.length === 0) this.#stopSweeping()
  }

  #streams(): number {
    let streams = 0
    for (const session of this.#sessions) streams += session.streams
    return streams
  }

  /** The session to send on; null where none has room, or where others would be kept waiting. */
  #withMostRoom(isUrgent: boolean): Session | null {
    let best: Session | null = null
    let streams = 0
    for (const session of this.#sessions) {
      streams += session.streams
      if (session.hasRoom && (best === null || session.streams < best.streams)) best = session
    }
    if (streams >= this.#peakStreams) this.#peakStreams = streams + 1
    return isUrgent || streams < this.#pace.limit ? best : null
  }

  #pump(): void {
    while (this.#waiting.size > 0) {
      const session = this.#withMostRoom(this.#waiting.urgent > 0)
      if (!session) break
      const exchange = this.#waiting.shift()
      if (exchange) session.send(exchange)
    }
    if (this.#waiting.size > 0) this.#attendLater()
  }

  #attendLater(): void {
    this.#connectIfNone()
    this.#queueTimer ??= setTimeout(() => this.#attend(), this.#settings.growAfterMs)
  }

  /** Looks after what waits every `growAfterMs`. */
  #attend(): void {
    this.#queueTimer = null
    const { clock, queueTimeoutMs, growAfterMs } = this.#settings
    const now = clock()
    for (;;) {
      const overdue = this.#waiting.shiftOverdue(now - queueTimeoutMs)
      if (!overdue) break
      settle(overdue, { kind: 'unsent', reason: 'queue-timeout' })
    }
    if (this.#waiting.hasWaitedSince(now - growAfterMs)) {
      this.#pace.waited(this.#streams())
      this.#grow()
    }
    this.#pump()
  }

  /**
   * One more session where those there are full, rather than held back by the pace; unless one is
   * about to give room or the bound is reached.
   */
  #grow(): void {
    const usable = this.#sessions.filter((session) => session.isUsable)
    if (usable.length === 0 || usable.length >= this.#settings.maxSessions) return
    if (usable.some((session) => session.isWarmingUp || session.hasRoom)) return
    this.#connect()
  }

  #connectIfNone(): void {
    if (!this.#sessions.some((session) => session.isUsable)) this.#connect()
  }

  #connect(): void {
    if (!this.#connectPause.isOver) return
    this.#counts.connects += 1
    this.#sessions.push(new Session(this.#origin, this.#options, this.#settings, this))
    this.#startSweeping()
  }

  #connectFailed(session: Session): void {
    this.#counts.connectFailures += 1
    this.#connectPause.failed()
    // One failure may be a blip. From the second on, whoever waited for it is told: the caller's
    // schedule of retries rules, not ours.
    if (this.#connectPause.failures < 2 || this.#sessions.some((other) => other.isUsable)) return
    this.#failWaiting({ kind: 'unreachable', reason: `connect ${session.endReason}` })
  }

  #failWaiting(result: RequestResult): void {
    const waiting = this.#waiting.size
    for (let index = 0; index < waiting; index += 1) {
      const exchange = this.#waiting.shift()
      if (exchange) settle(exchange, result)
    }
  }

  #startSweeping(): void {
    const { requestTimeoutMs, connectTimeoutMs, pingBusyMs, pingTimeoutMs, clock } = this.#settings
    if (this.#sweeper) return
    const shortest = Math.min(requestTimeoutMs, connectTimeoutMs, pingBusyMs, pingTimeoutMs)
    const intervalMs = Math.min(1000, shortest / 5)
    this.#lastSweepAt = clock()
    this.#sweeper = setInterval(() => this.#sweep(intervalMs), intervalMs)
  }

  #stopSweeping(): void {
    if (this.#sweeper) clearInterval(this.#sweeper)
    this.#sweeper = null
  }

  #sweep(intervalMs: number): void {
    const now = this.#settings.clock()
    const wasBlocked = now - this.#lastSweepAt > intervalMs * 3
    this.#lastSweepAt = now
    // Our own process stood still: answers may lie unread in the sockets, so nobody is judged now.
    if (wasBlocked) return
    for (const session of this.#sessions) session.sweep(now)
    if (now - this.#surplusCheckedAt >= this.#settings.surplusAfterMs) this.#closeSurplus(now)
  }

  /** Closes the youngest session where half the streams of the others held the last peak. */
  #closeSurplus(now: number): void {
    const usable = this.#sessions.filter((session) => session.isUsable)
    const others = usable.slice(0, -1).reduce((sum, session) => sum + session.limit, 0)
    if (usable.length > 1 && this.#peakStreams <= others / 2) usable.at(-1)?.drain()
    this.#peakStreams = 0
    this.#surplusCheckedAt = now
  }

  #endIfDrained(): void {
    if (this.#waiting.size > 0) return
    for (const session of this.#sessions) if (session.streams === 0) session.drain()
    if (this.#sessions.length > 0) return
    if (this.#closeTimer) clearTimeout(this.#closeTimer)
    if (this.#queueTimer) clearTimeout(this.#queueTimer)
    this.#closed.resolve()
  }

  #closeNow(): void {
    this.#failWaiting({ kind: 'unsent', reason: 'closed' })
    for (const session of this.#sessions) session.destroy('closed')
    this.#endIfDrained()
  }
}
