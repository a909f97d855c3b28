/** A value at a time, in minutes. */
export interface Point {
  minute: number
  value: number
}

/**
 * Growth by the minute: the median of the slopes between all pairs of points (Theil and Sen). A
 * single sample that meets a broadcast or the collector does not move it.
 */
export function slopePerMinute(points: readonly Point[]): number {
  const slopes = points.flatMap((a, index) =>
    points.slice(index + 1).map((b) => (b.value - a.value) / (b.minute - a.minute)),
  )
  return median(slopes)
}

/**
 * The least value of each span of so many minutes, counted from the end. Memory goes up until the
 * collector runs and down again: what remains below is what a leak raises.
 */
export function floorOf(points: readonly Point[], spanMinutes: number): Point[] {
  const end = points.at(-1)?.minute ?? 0
  const grouped = Map.groupBy(points, ({ minute }) => Math.floor((end - minute) / spanMinutes))
  const spans = [...grouped.values()]
  const full = Math.max(...spans.map((span) => span.length))
  return spans
    .filter((span) => span.length * 2 > full)
    .map((span) => span.reduce((least, point) => (point.value < least.value ? point : least)))
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[sorted.length >> 1] ?? 0
  const lower = sorted[(sorted.length - 1) >> 1] ?? 0
  return (upper + lower) / 2
}
