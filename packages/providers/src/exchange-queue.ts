import type { Exchange } from './exchange.ts'

/** First in, first out; a request that goes back to the front keeps its place in time. */
class ExchangeQueue {
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

/** What waits for a stream: urgent requests go first, and each kind in its order. */
export class WaitingRequests {
  readonly #urgent = new ExchangeQueue()
  readonly #others = new ExchangeQueue()

  get size(): number {
    return this.#urgent.size + this.#others.size
  }

  /** How many of them are urgent. */
  get urgent(): number {
    return this.#urgent.size
  }

  push(exchange: Exchange): void {
    this.#queueOf(exchange).push(exchange)
  }

  unshift(exchange: Exchange): void {
    this.#queueOf(exchange).unshift(exchange)
  }

  shift(): Exchange | null {
    return this.#urgent.shift() ?? this.#others.shift()
  }

  /** Takes out one that came at or before `since`; null where there is none. */
  shiftOverdue(since: number): Exchange | null {
    for (const queue of [this.#urgent, this.#others]) {
      if (queue.first && queue.first.queuedAt <= since) return queue.shift()
    }
    return null
  }

  /** Whether one of them came at or before `since`. */
  hasWaitedSince(since: number): boolean {
    return [this.#urgent, this.#others].some(({ first }) => first && first.queuedAt <= since)
  }

  #queueOf(exchange: Exchange): ExchangeQueue {
    return exchange.isUrgent ? this.#urgent : this.#others
  }
}
