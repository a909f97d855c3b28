/** What the core needs of the engine that it runs in: all of it can be given by the caller. */
export interface Engine {
  fetch: Fetch
  /** Ms since the epoch. */
  now: () => number
  /** From 0 up to 1, for spreading retries. */
  random: () => number
  /** A text that nobody else has. */
  newId: () => string
  setTimer: (work: () => void, ms: number) => unknown
  clearTimer: (timer: unknown) => void
}

/** The part of `fetch` that is used. */
export type Fetch = (
  url: string,
  init: {
    method: 'GET' | 'POST'
    headers: { [name: string]: string }
    body?: string
    /** After which nobody waits for the answer any more. */
    timeoutMs: number
  },
) => Promise<FetchAnswer>

export interface FetchAnswer {
  status: number
  headers: { get(name: string): string | null }
  text(): Promise<string>
}

// Globals of every engine that we run in. No library of types is taken in for them: each names
// thousands of others that are missing in one engine or another.
declare const fetch: (url: string, init: object) => Promise<FetchAnswer>
declare const AbortSignal: { timeout?: (ms: number) => object } | undefined
declare const setTimeout: (work: () => void, ms: number) => unknown
declare const clearTimeout: (timer: unknown) => void
declare const crypto: { getRandomValues?: (bytes: Uint8Array) => Uint8Array } | undefined

/** The engine that runs this. */
export function globalEngine(): Engine {
  return {
    fetch(url, { timeoutMs, ...init }) {
      // Not every engine can give a request up; there, it ends by itself, and nobody waits for it.
      const signals = typeof AbortSignal === 'undefined' ? undefined : AbortSignal
      const signal = signals?.timeout?.(timeoutMs)
      return fetch(url, signal ? { ...init, signal } : init)
    },
    now: () => Date.now(),
    random: () => Math.random(),
    newId: randomId,
    setTimer: (work, ms) => setTimeout(work, ms),
    clearTimer: (timer) => clearTimeout(timer),
  }
}

let idCount = 0

/**
 * 128 random bits in hex. Hermes has no `crypto`, and its `Math.random` has too few states to tell
 * millions of phones apart: there, the time and a count are mixed in.
 */
function randomId(): string {
  const bytes = new Uint8Array(16)
  const source = typeof crypto === 'undefined' ? undefined : crypto
  if (source?.getRandomValues) return hexOf(source.getRandomValues(bytes))
  idCount += 1
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = Math.random() * 256
  return `${Date.now().toString(16)}${idCount.toString(16)}${hexOf(bytes)}`
}

function hexOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += (byte + 256).toString(16).slice(1)
  return text
}
