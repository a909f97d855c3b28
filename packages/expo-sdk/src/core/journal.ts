import type { Item } from './items.ts'
import { utf8Length } from './json.ts'
import type { Queued } from './overflow.ts'
import type { State } from './state.ts'
import type { Store } from './store.ts'

/**
 * The queue and the state on disk, as numbered segments of a few items. Each segment carries the
 * state as it was after its last item, so that one write commits a call whole: what it queues and
 * what it changes. `head` names the oldest segment; the newest is never removed, since it has the
 * state. Reading goes from the head until a number is missing.
 *
 * Whatever step the process dies after, the next start finds a prefix of the calls, all that were
 * acknowledged among them. What was sent and not yet removed is sent again under the same ids.
 */
interface Segment {
  number: number
  queue: Queued[]
  /** After the last item. */
  state: State
  isDirty: boolean
}

/** When a segment is full: small enough to be written again with each call. */
const segmentItemsMax = 20
const segmentBytesMax = 16_384

export interface Journal {
  readonly state: State
  /** What waits, oldest first. */
  readonly queue: readonly Queued[]
  /** Adds what one call queues, and the state that it leaves. On disk after `save`. */
  append(items: readonly Item[], state: State): void
  /** Takes items out that were sent or are given up. */
  remove(items: ReadonlySet<Item>): void
  /** Writes what changed. Rejects where the store does; the next call tries again. */
  save(): Promise<void>
}

export interface JournalOptions {
  store: Store
  /** Before each key. */
  prefix: string
  /** The state where nothing is stored. */
  initial: State
  /** Told of a segment that cannot be read. */
  onCorrupt: (key: string, cause: unknown) => void
}

/** Reads what is stored, or begins anew. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { store, prefix, initial, onCorrupt } = options
  let head = Number((await store.getItem(headKey(prefix))) ?? 0)
  if (!Number.isSafeInteger(head) || head < 0) head = 0
  // The process may have died between moving the head and removing what was before it.
  if (head > 0) await store.removeItem(keyOf(prefix, head - 1))
  const segments: Segment[] = []
  let { state } = emptySegment(head, initial)
  for (let number = head; ; number += 1) {
    const text = await store.getItem(keyOf(prefix, number))
    if (text === null || text === undefined) break
    try {
      const read = parseSegment(text)
      state = read.state
      segments.push({ number, state, queue: read.items.map(queued), isDirty: false })
    } catch (cause) {
      onCorrupt(keyOf(prefix, number), cause)
      segments.push({ ...emptySegment(number, state), isDirty: true })
    }
  }
  if (segments.length === 0) segments.push(emptySegment(head, initial))
  return journalOf(segments, store, prefix)
}

/** A journal that is nowhere but in memory. */
export function memoryJournal(initial: State): Journal {
  const nowhere: Store = { getItem: () => null, setItem: () => {}, removeItem: () => {} }
  return journalOf([emptySegment(0, initial)], nowhere, '')
}

/** Of at least one segment. */
function journalOf(segments: Segment[], store: Store, prefix: string): Journal {
  const last = () => {
    const segment = segments[segments.length - 1]
    if (!segment) throw new Error('a journal has at least one segment')
    return segment
  }

  async function write(segment: Segment): Promise<void> {
    segment.isDirty = false
    try {
      await store.setItem(keyOf(prefix, segment.number), formatSegment(segment))
    } catch (cause) {
      segment.isDirty = true
      throw cause
    }
  }

  return {
    get state() {
      return last().state
    },
    get queue() {
      return segments.flatMap((segment) => segment.queue)
    },
    append(items, state) {
      const tail = last()
      const bytes = tail.queue.reduce((sum, { size }) => sum + size, 0)
      const isFull = tail.queue.length >= segmentItemsMax || bytes >= segmentBytesMax
      const target = isFull ? emptySegment(tail.number + 1, state) : tail
      if (isFull) segments.push(target)
      target.queue.push(...items.map(queued))
      target.state = state
      target.isDirty = true
    },
    remove(items) {
      for (const segment of segments) {
        const rest = segment.queue.filter(({ item }) => !items.has(item))
        if (rest.length === segment.queue.length) continue
        segment.queue = rest
        segment.isDirty = true
      }
    },
    async save() {
      const staying = segments.findIndex((one) => one.queue.length > 0 || one === last())
      for (const segment of segments.slice(staying)) {
        if (segment.isDirty) await write(segment)
      }
      for (let left = staying; left > 0; left -= 1) {
        const [first] = segments
        if (!first) break
        await store.setItem(headKey(prefix), String(first.number + 1))
        await store.removeItem(keyOf(prefix, first.number))
        segments.shift()
      }
    },
  }
}

function headKey(prefix: string): string {
  return `${prefix}.head`
}

function keyOf(prefix: string, number: number): string {
  return `${prefix}.${number}`
}

function emptySegment(number: number, state: State): Segment {
  return { number, state, queue: [], isDirty: false }
}

function queued(item: Item): Queued {
  return { item, size: utf8Length(JSON.stringify(item)) }
}

function formatSegment({ state, queue }: Segment): string {
  return JSON.stringify({ state, items: queue.map(({ item }) => item) })
}

function parseSegment(text: string): { state: State; items: Item[] } {
  const { state, items } = JSON.parse(text)
  if (typeof state?.installationId !== 'string' || !Array.isArray(items)) {
    throw new Error('this is no segment of a journal')
  }
  return { state, items }
}
