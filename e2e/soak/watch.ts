/** Latencies of a while, in ms. */
export interface Latency {
  count: number
  p50: number
  p99: number
}

/** Counts what the load met, from the outside. */
export interface Watch {
  /** A request that does nothing: how slow the machine is. */
  bare(ms: number): void
  /** An empty transaction took so long. */
  transaction(ms: number): void
  registered(ms: number): void
  accepted(ms: number): void
  recorded(ms: number): void
  broadcast(ms: number): void
  /** A message was accepted. */
  message(): void
  /** Something was due and left out, since too much was under way. */
  leftOut(): void
  /** Something that must not be: counted, the first few in words. */
  unexpected(what: string): void
  /** Latencies since the last call. */
  take(): {
    bare: Latency
    transaction: Latency
    register: Latency
    accept: Latency
    recorded: Latency
    broadcastMs: number[]
  }
  readonly messages: number
  readonly late: number
  readonly surprises: { count: number; first: string[] }
}

const surprisesShown = 10

export function createWatch(): Watch {
  let bare: number[] = []
  let transaction: number[] = []
  let register: number[] = []
  let accept: number[] = []
  let recorded: number[] = []
  let broadcastMs: number[] = []
  let messages = 0
  let late = 0
  const surprises = { count: 0, first: [] as string[] }
  return {
    bare: (ms) => void bare.push(ms),
    transaction: (ms) => void transaction.push(ms),
    registered: (ms) => void register.push(ms),
    accepted: (ms) => void accept.push(ms),
    recorded: (ms) => void recorded.push(ms),
    broadcast: (ms) => void broadcastMs.push(Math.round(ms)),
    message: () => {
      messages += 1
    },
    leftOut: () => {
      late += 1
    },
    unexpected(what) {
      surprises.count += 1
      if (surprises.first.length < surprisesShown) surprises.first.push(what)
    },
    take() {
      const taken = {
        bare: latencyOf(bare),
        transaction: latencyOf(transaction),
        register: latencyOf(register),
        accept: latencyOf(accept),
        recorded: latencyOf(recorded),
        broadcastMs,
      }
      bare = []
      transaction = []
      register = []
      accept = []
      recorded = []
      broadcastMs = []
      return taken
    },
    get messages() {
      return messages
    },
    get late() {
      return late
    },
    surprises,
  }
}

function latencyOf(times: readonly number[]): Latency {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
    return Math.round(value * 10) / 10
  }
  return { count: sorted.length, p50: at(0.5), p99: at(0.99) }
}
