/** Requests and answers by operation. */
export interface Tally {
  add(operation: string, status: number | string, isValid?: boolean): void
  rows(): TallyRow[]
}

export interface TallyRow {
  operation: string
  requests: number
  /** Valid requests, and how many of them were taken. */
  valid: number
  taken: number
  statuses: Record<string, number>
}

export function createTally(operations: readonly string[]): Tally {
  const rows = new Map<string, TallyRow>()
  const rowOf = (operation: string) => {
    const known = rows.get(operation)
    if (known) return known
    const row: TallyRow = { operation, requests: 0, valid: 0, taken: 0, statuses: {} }
    rows.set(operation, row)
    return row
  }
  operations.forEach(rowOf)
  return {
    add(operation, status, isValid = false) {
      const row = rowOf(operation)
      row.requests += 1
      row.statuses[status] = (row.statuses[status] ?? 0) + 1
      if (!isValid) return
      row.valid += 1
      if (typeof status === 'number' && status < 300) row.taken += 1
    },
    rows: () => [...rows.values()],
  }
}

/** So many valid requests, and one has to have been taken. */
const judgedMin = 15

/** Operations that refuse everything: their refusals of bad requests prove nothing. */
export function alwaysRefused(rows: readonly TallyRow[]): string[] {
  return rows
    .filter(({ valid, taken }) => valid >= judgedMin && taken === 0)
    .map(({ operation }) => `${operation}: none of the valid requests was taken`)
}

/** A table for people. */
export function tableOf(rows: readonly TallyRow[]): string {
  const width = Math.max(...rows.map(({ operation }) => operation.length))
  return rows
    .map(({ operation, requests, statuses }) => {
      const counts = Object.entries(statuses)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([status, count]) => `${status}: ${count}`)
      return `${operation.padEnd(width)} ${String(requests).padStart(6)}   ${counts.join('  ')}`
    })
    .join('\n')
}
