import { isDatabaseUnavailable } from './connect.ts'
import { inWorkspacesOf, workspacesNow } from './tenancy.ts'

/** What one run of a coalescer was. Times in milliseconds. */
export interface CoalescedRun {
  /** Calls that shared it. */
  size: number
  /** How long the call that came first had waited. */
  waitedMs: number
  /** How long it took, repeats of its halves included. */
  ms: number
}

/** How a coalescer works. */
export interface CoalesceOptions<Item, Result> {
  /** Handles many items in one go and returns their results in the same order. */
  run: (items: Item[]) => Promise<Result[]>
  /** Most items in one run; a single one may weigh more. */
  sizeMax: number
  /** Most runs at a time: while they are busy, calls gather for the next. */
  runsMax: number
  /** Most calls that may wait; one more is refused with `CoalescerFullError`. */
  waitingMax: number
  /** How much an item counts for `sizeMax` and `waitingMax`; 1 if left out. */
  weightOf?: (item: Item) => number
  /** What two items of one run must not share, such as the row that both would write. */
  keysOf?: (item: Item) => readonly string[]
  /** Told of each run, for measurements. */
  onRun?: (run: CoalescedRun) => void
}

/** Too many calls wait for the database: the caller should be told to come back. */
export class CoalescerFullError extends Error {
  constructor() {
    super('too many calls are waiting')
    this.name = 'CoalescerFullError'
  }
}

interface Waiting<Item, Result> {
  item: Item
  /** Whom the call was made for. */
  workspaceNos: readonly number[] | null
  /** Monotonic ms. */
  since: number
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/**
 * Makes one multi-row statement of calls that arrive together. There is no timer: a lone call runs
 * at once, and calls gather only while earlier ones are under way. A run that fails is split, so
 * that each item meets its own error and one bad item does not fail its neighbours.
 */
export function coalesce<Item, Result>(
  options: CoalesceOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const weightOf = options.weightOf ?? (() => 1)
  let waiting: Waiting<Item, Result>[] = []
  let weight = 0
  let running = 0
  let scheduled = false

  function schedule() {
    if (scheduled || running >= options.runsMax || waiting.length === 0) return
    scheduled = true
    // After the callbacks of this turn: requests parsed from one read of the socket go together.
    setImmediate(() => {
      scheduled = false
      const batch = options.keysOf ? takeWithoutConflict(options.keysOf) : take()
      weight -= batch.reduce((sum, { item }) => sum + weightOf(item), 0)
      const began = performance.now()
      running += 1
      const workspaceNos = batch.map((call) => call.workspaceNos)
      void inWorkspacesOf(workspaceNos, () => settle(batch, options.run)).finally(() => {
        running -= 1
        options.onRun?.({
          size: batch.length,
          waitedMs: began - (batch[0]?.since ?? began),
          ms: performance.now() - began,
        })
        schedule()
      })
      schedule()
    })
  }

  function take(): Waiting<Item, Result>[] {
    let count = 0
    let size = 0
    for (const { item } of waiting) {
      size += weightOf(item)
      if (size > options.sizeMax && count > 0) break
      count += 1
    }
    const batch = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return batch
  }

  /** Items that share a key keep their order: the later one waits for the next run. */
  function takeWithoutConflict(keysOf: (item: Item) => readonly string[]) {
    const taken = new Set<string>()
    const batch: Waiting<Item, Result>[] = []
    const rest: Waiting<Item, Result>[] = []
    for (const call of waiting) {
      const keys = keysOf(call.item)
      const isFree = batch.length < options.sizeMax && !keys.some((key) => taken.has(key))
      for (const key of keys) taken.add(key)
      if (isFree) batch.push(call)
      else rest.push(call)
    }
    waiting = rest
    return batch
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (weight >= options.waitingMax) {
        reject(new CoalescerFullError())
        return
      }
      weight += weightOf(item)
      const workspaceNos = workspacesNow()
      waiting.push({ item, workspaceNos, since: performance.now(), resolve, reject })
      schedule()
    })
}

async function settle<Item, Result>(
  batch: Waiting<Item, Result>[],
  run: (items: Item[]) => Promise<Result[]>,
): Promise<void> {
  try {
    const results = await run(batch.map((call) => call.item))
    for (const [index, call] of batch.entries()) {
      const result = results[index]
      if (result === undefined) call.reject(new Error('a run returned too few results'))
      else call.resolve(result)
    }
  } catch (error) {
    // Without a database each part would wait for it again, one after the other.
    if (batch.length === 1 || isDatabaseUnavailable(error)) {
      for (const call of batch) call.reject(error)
      return
    }
    const middle = batch.length >> 1
    await settle(batch.slice(0, middle), run)
    await settle(batch.slice(middle), run)
  }
}
