import { appendFile, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/** One measured figure: a line of JSON, and a row of the table at the end. */
export interface Figure {
  figure: string
  value: number
  unit: string
  /** What it has to reach; `most` where less is better. */
  bar?: { least: number } | { most: number }
  /** What a reader needs to judge it: counts, shares of CPU, the check that it really happened. */
  detail?: Record<string, unknown>
}

export interface Report {
  add(figure: Figure): Promise<void>
  /** Prints the table. Returns whether every figure with a bar reached it. */
  close(): boolean
}

/** Prints a JSON line a figure, into a file too. */
export function openReport(file: string, run: Record<string, unknown>): Report {
  const figures: Figure[] = []
  return {
    async add(figure) {
      figures.push(figure)
      const line = JSON.stringify({ ...figure, ok: isReached(figure), ...run })
      console.log(line)
      await mkdir(dirname(file), { recursive: true })
      await appendFile(file, `${line}\n`)
    },
    close() {
      console.log('')
      for (const figure of figures) console.log(row(figure))
      return figures.every((figure) => isReached(figure) !== false)
    },
  }
}

function isReached({ bar, value }: Figure): boolean | null {
  if (!bar) return null
  return 'least' in bar ? value >= bar.least : value <= bar.most
}

function row(figure: Figure): string {
  const { bar } = figure
  const reached = isReached(figure)
  const asked = !bar ? '' : 'least' in bar ? `at least ${bar.least}` : `at most ${bar.most}`
  const verdict = reached === null ? '' : reached ? 'reached' : 'MISSED'
  const value = `${Math.round(figure.value * 1000) / 1000} ${figure.unit}`
  return `${figure.figure.padEnd(34)} ${value.padStart(18)}   ${asked.padEnd(16)} ${verdict}`
}

/** The value below which `share` of the sorted values lie. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** The middle one, of a few that were measured. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
