import { number, percent } from './format.ts'

export interface StackPart {
  label: string
  /** The series' name in the style sheet. */
  series: string
  value: number
}

/** Parts of a whole beside one another, each as long as its share. */
export function Stack({ parts, label }: { parts: readonly StackPart[]; label: string }) {
  const total = parts.reduce((sum, { value }) => sum + Math.max(0, value), 0)
  const spoken = parts
    .filter(({ value }) => value > 0)
    .map((part) => `${part.label} ${number(part.value)}`)
    .join(', ')
  let x = 0
  return (
    <svg
      className="stack"
      viewBox="0 0 100 1"
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${spoken || 'nothing'}`}
    >
      <rect className="stack-ground" width="100" height="1" />
      {parts.map((part) => {
        const width = total === 0 ? 0 : (Math.max(0, part.value) / total) * 100
        const from = x
        x += width
        return width === 0 ? null : (
          <rect
            key={part.series}
            className={`bar ${part.series}`}
            x={from}
            width={width}
            height="1"
          >
            <title>{`${part.label}: ${number(part.value)} (${percent(part.value / total)})`}</title>
          </rect>
        )
      })}
    </svg>
  )
}

/** What the colours of a stack mean, with their numbers. */
export function Legend({ parts }: { parts: readonly StackPart[] }) {
  return (
    <ul className="legend">
      {parts.map(({ label, series, value }) => (
        <li key={series} className={series}>
          <span className="swatch" aria-hidden="true" />
          {label} <span className="legend-value">{number(value)}</span>
        </li>
      ))}
    </ul>
  )
}
