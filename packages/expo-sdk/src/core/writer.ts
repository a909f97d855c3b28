import type { Effect } from './calls.ts'
import type { Engine } from './engine.ts'
import type { OnError } from './errors.ts'
import { type Item, namedBy, nameOf } from './items.ts'
import { type Journal, memoryJournal, openJournal } from './journal.ts'
import { utf8Length } from './json.ts'
import { type Limits, overflowOf, type Queued } from './overflow.ts'
import { newState, type State } from './state.ts'
import type { Store } from './store.ts'

/** What a call does, decided when its turn has come. Throws where it cannot be done. */
export type Change = (state: State) => Effect

export interface WriterOptions {
  store: Store
  prefix: string
  engine: Engine
  limits: Limits
  onError: OnError
  /** How much later it is on the server than here, in ms. */
  serverAheadMs: () => number
  /** Whether calls of a person wait for an identity token. */
  isHeld: (personId: string) => boolean
  isBeingSent: (item: Item) => boolean
}

export interface Writer {
  /** Applies a call after all earlier ones. Resolves when it is stored. */
  change(change: Change): Promise<void>
  /** Takes items out of the queue. */
  remove(items: ReadonlySet<Item>): Promise<void>
  /** As of now; of a new installation until the store is read. */
  state(): State
  queue(): readonly Queued[]
}

/** Largest call in bytes, as the server has it. */
const itemBytesMax = 32_768

interface Work {
  /** Puts it into the journal. */
  apply: (journal: Journal) => void
  resolve: () => void
  reject: (cause: unknown) => void
}

/**
 * Applies calls one after the other, in the order in which they were made. Those that come while a
 * write is under way share the next one.
 */
export function createWriter(options: WriterOptions): Writer {
  const { engine, onError, limits } = options
  const initial = newState(engine.newId)
  let journal: Journal = memoryJournal(initial)
  let waiting: Work[] = []
  let isWorking = false
  const opened = open()

  async function open(): Promise<void> {
    const { store, prefix } = options
    try {
      journal = await openJournal({
        ...{ store, prefix, initial },
        onCorrupt: (key, cause) =>
          tellStorage(`${key} cannot be read: what it held is lost`, cause),
      })
    } catch (cause) {
      // Without a look at what is there, writing could destroy it: this launch keeps to its memory.
      tellStorage('the store cannot be read', cause)
    }
  }

  function tellStorage(message: string, cause: unknown): void {
    onError({ kind: 'storage', message, cause })
  }

  function enqueue(apply: Work['apply']): Promise<void> {
    return new Promise((resolve, reject) => {
      waiting.push({ apply, resolve, reject })
      if (!isWorking) void work()
    })
  }

  async function work(): Promise<void> {
    isWorking = true
    await opened
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      const applied = batch.filter((one) => {
        try {
          one.apply(journal)
          return true
        } catch (cause) {
          one.reject(cause)
          return false
        }
      })
      await journal.save().catch((cause) => tellStorage('the store cannot be written', cause))
      for (const { resolve } of applied) resolve()
    }
    isWorking = false
  }

  function applyChange(change: Change, calledAt: number): void {
    const before = journal.state
    const { state, items } = change(before)
    if (state === before && items.length === 0) return
    let { lastTime } = state
    const stamped = items.map((item): Item => {
      // Each later than the one before, whatever the clock does: the server orders by it.
      lastTime = Math.max(calledAt + options.serverAheadMs(), lastTime + 1)
      const timestamp = new Date(lastTime).toISOString()
      return { ...item, messageId: engine.newId(), timestamp }
    })
    for (const item of stamped) {
      if (utf8Length(JSON.stringify(item)) > itemBytesMax) {
        throw new TypeError(`${nameOf(item)} is over ${itemBytesMax} bytes`)
      }
    }
    journal.append(stamped, { ...state, lastTime, identityTokens: neededTokens(state, stamped) })
    dropOverflow()
  }

  /** Those of whoever is identified, and of people whose calls still wait. */
  function neededTokens(state: State, added: readonly Item[]): State['identityTokens'] {
    const named = new Set(
      [...journal.queue.map(({ item }) => item), ...added].map((item) => namedBy(item)),
    )
    const entries = Object.entries(state.identityTokens)
    return Object.fromEntries(
      entries.filter(([personId]) => personId === state.personId || named.has(personId)),
    )
  }

  function dropOverflow(): void {
    const { isBeingSent } = options
    const isHeld = (item: Item) => {
      const personId = namedBy(item)
      return personId !== null && options.isHeld(personId) && personId !== journal.state.personId
    }
    const dropped = overflowOf(journal.queue, limits, { isHeld, isBeingSent })
    if (dropped.length === 0) return
    journal.remove(new Set(dropped))
    for (const item of dropped) {
      const call = nameOf(item)
      onError({ kind: 'queue-full', message: `the queue is full: ${call} was dropped`, call })
    }
  }

  return {
    change(change) {
      const calledAt = engine.now()
      return enqueue(() => applyChange(change, calledAt))
    },
    remove: (items) => enqueue(() => journal.remove(items)),
    state: () => journal.state,
    queue: () => journal.queue,
  }
}
