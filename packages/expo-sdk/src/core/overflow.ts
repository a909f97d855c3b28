import { type Item, isEvent, tokenOf } from './items.ts'

/** An item that waits, with its size in bytes. */
export interface Queued {
  item: Item
  size: number
}

/** How much may wait. */
export interface Limits {
  items: number
  bytes: number
}

/**
 * What has to go so that the queue keeps its limits, oldest first: events before calls that nobody
 * could repeat (`isHeld`: they wait for a login that may never come), then other events, then what
 * later calls about the same device made pointless, then whatever is oldest. What is being sent
 * stays.
 */
export function overflowOf(
  queue: readonly Queued[],
  limits: Limits,
  { isHeld, isBeingSent }: Record<'isHeld' | 'isBeingSent', (item: Item) => boolean>,
): Item[] {
  let items = queue.length
  let bytes = queue.reduce((sum, { size }) => sum + size, 0)
  const isOver = () => items > limits.items || bytes > limits.bytes
  if (!isOver()) return []
  const lastOf = new Map(queue.map(({ item }) => [tokenOf(item), item]))
  const rank = (item: Item) => {
    if (isHeld(item)) return 0
    if (isEvent(item)) return 1
    const token = tokenOf(item)
    return token !== null && lastOf.get(token) !== item ? 2 : 3
  }
  const candidates = queue
    // The newest is what was just called.
    .slice(0, -1)
    .filter(({ item }) => !isBeingSent(item))
    .map((queued, index) => ({ ...queued, rank: rank(queued.item), index }))
    .sort((one, other) => one.rank - other.rank || one.index - other.index)
  const dropped: Item[] = []
  for (const { item, size } of candidates) {
    if (!isOver()) break
    dropped.push(item)
    items -= 1
    bytes -= size
  }
  return dropped
}
