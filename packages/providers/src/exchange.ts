import type { ClientHttp2Stream } from 'node:http2'

/**
 * What became of one request (R5). `unsent`: there was no stream for it in time, which says nothing
 * against the peer. `unreachable`: no connection to the peer can be made. `not-processed`: the peer
 * certainly did not act on it. `unknown`: it was written and no answer came. Reasons are codes, never
 * a token or a path.
 */
export type RequestResult =
  | { kind: 'answered'; status: number; retryAfter: string | null; body: string }
  | { kind: 'unsent'; reason: string }
  | { kind: 'unreachable'; reason: string }
  | { kind: 'not-processed'; reason: string }
  | { kind: 'unknown'; reason: string }

/** One request on its way: waiting in the pool's queue, or written to a stream. */
export interface Exchange {
  /** Alternating names and values, as node:http2 takes them. */
  readonly headers: readonly string[]
  readonly body: Buffer
  readonly done: (result: RequestResult) => void
  /** Goes before others, and whatever the pace. */
  readonly isUrgent: boolean
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
  isUrgent: boolean,
  queuedAt: number,
): Exchange {
  return {
    headers,
    body,
    done,
    isUrgent,
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
