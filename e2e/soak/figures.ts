/** One figure of the verdict. */
export interface Figure {
  figure: string
  value: number
  unit: string
  /** What it must not pass. */
  most: number
  /** null: the run was too short to tell. */
  ok: boolean | null
}

export function figure(name: string, value: number, unit: string, most: number): Figure {
  const rounded = Math.round(value * 100) / 100
  return { figure: name, value: rounded, unit, most, ok: rounded <= most }
}

/** A table for people. */
export function tableOf(figures: readonly Figure[]): string {
  const width = Math.max(...figures.map((one) => one.figure.length))
  return figures
    .map(({ figure: name, value, unit, most, ok }) => {
      const verdict = ok === null ? 'too short to tell' : ok ? 'ok' : 'NOT OK'
      return `${name.padEnd(width)}  ${`${value} ${unit}`.padStart(16)}  at most ${String(most).padEnd(6)}  ${verdict}`
    })
    .join('\n')
}
