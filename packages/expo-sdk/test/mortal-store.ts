import type { Store } from '../src/core/index.ts'

export interface MortalStore extends Store {
  /** Writes so far. */
  steps: number
  isDead: boolean
  /** Resolves when the process dies. */
  died: Promise<void>
}

/**
 * A store whose process dies at its `at`th write: before or after that took effect. A dead process
 * neither reads nor writes nor sends; whoever waits for it waits for ever.
 */
export function mortalStore(
  map: Map<string, string>,
  at: number,
  when: 'before' | 'after',
): MortalStore {
  let die = () => {}
  const died = new Promise<void>((resolve) => {
    die = resolve
  })

  async function step(write: () => unknown): Promise<void> {
    // As on a phone, a write takes effect later than it was asked for.
    await new Promise((resolve) => setImmediate(resolve))
    if (store.isDead) return never()
    store.steps += 1
    const isLast = store.steps === at
    if (!isLast || when === 'after') write()
    if (!isLast) return
    store.isDead = true
    die()
    await never()
  }

  const store: MortalStore = {
    steps: 0,
    isDead: false,
    died,
    getItem: async (key) => (store.isDead ? never() : (map.get(key) ?? null)),
    setItem: (key, value) => step(() => map.set(key, value)),
    removeItem: (key) => step(() => map.delete(key)),
  }
  return store
}

/** What a dead process waits for. */
export function never<T>(): Promise<T> {
  return new Promise(() => {})
}
