import { compact, minuteOf, number } from './format.ts'

export interface MinuteChartProps {
  label: string
  /** The series' name in the style sheet. */
  series: string
  values: readonly { at: string; value: number }[]
  /** The minute that the pointer is at, in any chart of the row. */
  pointed: number | null
  onPoint: (index: number | null) => void
}

const height = 40
const barWidth = 4
const step = 5

/** An hour by minutes, as columns; the last one is not over. Its numbers are in the table below. */
export function MinuteChart({ label, series, values, pointed, onPoint }: MinuteChartProps) {
  const max = Math.max(...values.map(({ value }) => value), 0)
  const last = values.length - 1
  // The minute that is over last, or where there was nothing what the present one has so far.
  const usual = (values[last - 1]?.value ?? 0) > 0 ? last - 1 : last
  const index = pointed ?? usual
  const shown = values[index]
  const total = values.reduce((sum, { value }) => sum + value, 0)
  const width = values.length * step
  const pointAt = (x: number, box: DOMRect) =>
    onPoint(Math.min(last, Math.max(0, Math.floor(((x - box.left) / box.width) * values.length))))
  return (
    <figure className={`minute-chart ${series}`}>
      <figcaption>
        <span className="swatch" aria-hidden="true" />
        {label}
      </figcaption>
      <p className="minute-value">
        <strong>{compact(shown?.value ?? 0)}</strong>
        <span className="muted">
          {' '}
          {shown && (index === last ? 'so far this minute' : `at ${minuteOf(shown.at)}`)}
        </span>
      </p>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}: ${number(total)} in the last hour, at most ${number(max)} in a minute`}
        onPointerMove={(event) =>
          pointAt(event.clientX, event.currentTarget.getBoundingClientRect())
        }
        onPointerLeave={() => onPoint(null)}
      >
        {pointed !== null && (
          <rect className="pointed" x={pointed * step} y={0} width={step} height={height} />
        )}
        {values.map(({ at, value }, place) => {
          const size = max === 0 ? 0 : Math.max(value > 0 ? 1.5 : 0, (value / max) * (height - 2))
          return (
            <rect
              key={at}
              className={place === last ? 'bar unfinished' : 'bar'}
              x={place * step}
              y={height - size}
              width={barWidth}
              height={size}
            />
          )
        })}
        <line className="floor" x1={0} x2={width} y1={height - 0.5} y2={height - 0.5} />
      </svg>
      <p className="minute-foot muted">
        <span>{compact(total)} in an hour</span>
        <span>{max > 0 ? `peak ${compact(max)}` : ''}</span>
      </p>
    </figure>
  )
}
