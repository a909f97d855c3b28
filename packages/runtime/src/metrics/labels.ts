/** What a label says in place of values beyond its bound. */
export const otherLabel = 'other'

/**
 * Keeps a label bounded, whatever arrives: the first `max` different values are told apart, all
 * later ones are `other`. A series costs memory here and in Prometheus for as long as it is kept.
 */
export function boundedLabel(max: number): (value: string) => string {
  const known = new Set<string>()
  return (value) => {
    if (known.has(value)) return value
    if (known.size >= max) return otherLabel
    known.add(value)
    return value
  }
}
