import type { ClientHttp2Stream } from 'node:http2'

/**
 * What became of one request, in three kinds (R5). `not-processed`: the peer certainly did not act
 * on it. `unknown`: it was written and no answer came. Reasons are codes, never a token or a path.
 */
export type RequestResult =
  | { kind: 'answered'; status: number; retryAfter: string | null; body: string }
  | { kind: 'not-processed'; reason: string }
  | { kind: 'unknown'; reason: string }

/** One request on its way: waiting in the pool's queue, or written to a stream. */
export interface Exchange {
  /** Alternating names and values, as node:http2 takes them. */
  readonly headers: readonly string[]
  readonly body: Buffer
  readonly done: (result: RequestResult) => void
  /** Monotonic ms: when the pool got it, and when it was last written to a stream. */
  readonly queuedAt: number
  writtenAt: number
  /** The stream it is on; null while it waits. A stream that is not this one has lost it. */
  stream: ClientHttp2Stream | null
  isSettled: boolean
  /** How often the peer refused its stream. */
  refusals: number
  /** The answer so far, where its body is read; status 0 means that no headers came. */
  status: number
  retryAfter: string | null
  chunks: Buffer[]
  next: Exchange | null
}

/** A request that nobody has written yet. `queuedAt` in monotonic ms. */
export function newExchange(
  headers: readonly string[],
  body: Buffer,
  done: (result: RequestResult) => void,
  queuedAt: number,
): Exchange {
  return {
    headers,
    body,
    done,
    queuedAt,
    writtenAt: 0,
    stream: null,
    isSettled: false,
    refusals: 0,
    status: 0,
    retryAfter: null,
    chunks: noChunks,
    next: null,
  }
}

// Shared by all requests whose answer has no body worth reading: nothing is ever pushed to it.
const noChunks: Buffer[] = []

/** Answers a request, once; later calls do nothing. */
export function settle(exchange: Exchange, result: RequestResult): void {
  if (exchange.isSettled) return
  exchange.isSettled = true
  try {
    exchange.done(result)
  } catch (error) {
    // A fault of the caller's must not leave the other requests of this session unanswered.
    queueMicrotask(() => {
      throw error
    })
  }
}

/** First in, first out; a request that goes back to the front keeps its place in time. */
export class ExchangeQueue {
  #first: Exchange | null = null
  #last: Exchange | null = null
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): Exchange | null {
    return this.#first
  }

  push(exchange: Exchange): void {
    exchange.next = null
    if (this.#last) this.#last.next = exchange
    else this.#first = exchange
    this.#last = exchange
    this.#size += 1
  }

  unshift(exchange: Exchange): void {
    exchange.next = this.#first
    this.#first = exchange
    this.#last ??= exchange
    this.#size += 1
  }

  shift(): Exchange | null {
    const exchange = this.#first
    if (!exchange) return null
    this.#first = exchange.next
    if (!this.#first) this.#last = null
    exchange.next = null
    this.#size -= 1
    return exchange
  }
}
