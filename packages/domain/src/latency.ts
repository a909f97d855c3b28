/**
 * Upper bounds of the classes that answers of providers are counted in by how long they took, in
 * ms. One class more holds what took longer. Stored: classes may be added at the end alone.
 */
export const latencyBoundsMs = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] as const

/** The class of an answer that took `ms`. */
export function latencyClass(ms: number): number {
  let index = 0
  for (const bound of latencyBoundsMs) {
    if (ms <= bound) return index
    index += 1
  }
  return index
}

/**
 * The time, in ms, that a share of the answers kept within, between the bounds of its class as if
 * they were spread evenly. null where there are none; the last bound stands for what took longer.
 */
export function latencyPercentile(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return null
  const wanted = share * total
  let below = 0
  let from = 0
  for (const [index, count] of counts.entries()) {
    const to = latencyBoundsMs[index]
    if (to === undefined) break
    if (below + count >= wanted) return from + ((to - from) * (wanted - below)) / Math.max(1, count)
    below += count
    from = to
  }
  return from
}
