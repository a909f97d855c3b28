import { type KeyUse, noteKeyUses, type Sql } from '@pushkeep/store'

export interface KeyUsesOptions {
  sql: Sql
  onError: (error: unknown) => void
  /** How often what was noted is written down, in milliseconds. */
  everyMs?: number
  /** How long a use that was noted stands for those after it, in milliseconds. */
  quietMs?: number
  /** Monotonic time in milliseconds. */
  now?: () => number
}

/** Most keys whose use is remembered; of more, some are written down more often than they have to be. */
const keysMax = 20_000

/**
 * Writes down when keys are used: together, every few seconds, and each once a minute at most. A request costs a
 * look into a map, never a statement.
 */
export function createKeyUses(options: KeyUsesOptions) {
  const { sql, onError, everyMs = 5000, quietMs = 60_000, now = () => performance.now() } = options
  const notedAt = new Map<string, number>()
  const exposed = new Set<string>()
  let waiting = new Map<string, KeyUse>()
  let writing: Promise<void> = Promise.resolve()

  function flush(): Promise<void> {
    if (waiting.size === 0) return writing
    const uses = [...waiting.values()]
    waiting = new Map()
    writing = writing.then(() => noteKeyUses(sql, uses)).catch(onError)
    return writing
  }

  const timer = setInterval(() => void flush(), everyMs)
  timer.unref()

  return {
    /** A call with a key was admitted. `isExposed`: a secret one, from a browser or an app. */
    note(keyId: string, isExposed: boolean): void {
      const isNews = isExposed && !exposed.has(keyId)
      const last = notedAt.get(keyId)
      const time = now()
      if (!isNews && last !== undefined && time - last < quietMs) return
      if (notedAt.size >= keysMax) notedAt.clear()
      if (exposed.size >= keysMax) exposed.clear()
      notedAt.set(keyId, time)
      if (isExposed) exposed.add(keyId)
      waiting.set(keyId, {
        keyId,
        isExposed: isExposed || (waiting.get(keyId)?.isExposed ?? false),
      })
    },
    /** Writes down what waits, now. */
    flush,
    /** Ends; what waits is written down. */
    async close(): Promise<void> {
      clearInterval(timer)
      await flush()
    },
  }
}

export type KeyUses = ReturnType<typeof createKeyUses>
