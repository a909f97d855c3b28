import { escapeControls } from '@pushkeep/domain'

/** Names and values, one a line, the values under one another. Control characters are escaped. */
export function facts(given: readonly (readonly [name: string, value: string])[]): string {
  const rows = given.map(([name, value]) => [escapeControls(name), escapeControls(value)] as const)
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join('\n')
}

/** Rows of columns, as wide as their widest. Control characters are escaped. */
export function columns(given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map(escapeControls))
  const widths: number[] = []
  for (const row of rows) {
    for (const [n, cell] of row.entries()) widths[n] = Math.max(widths[n] ?? 0, cell.length)
  }
  return rows
    .map((row) =>
      row
        .map((cell, n) => cell.padEnd(widths[n] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** One line of a list, its cells two spaces apart. Control characters are escaped. */
export function line(cells: readonly (string | number)[]): string {
  return cells
    .map((cell) => escapeControls(String(cell)))
    .join('  ')
    .trimEnd()
}

/** A value as a line shows it: text as it is, anything else as JSON. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Attributes, one a line. */
export function attributeRows(attributes: Record<string, unknown>): [string, string][] {
  return Object.entries(attributes).map(([name, value]) => [`  ${name}`, shown(value)])
}

/** A time as people read it, in UTC. */
export function timeText(time: string | number): string {
  const text = new Date(typeof time === 'number' ? time * 1000 : time).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`
}
