import type { Message } from '@pushkeep/console-api'
import { compact, number, secondOf } from './format.ts'

const series = ['sent', 'bounced', 'suppressed', 'failed', 'expired'] as const

const height = 120
const width = 600

type Progress = NonNullable<Message['progress']>

/** How many deliveries ended, over time, stacked by how. */
export function ProgressChart({ progress }: { progress: Progress }) {
  const points = filled(progress)
  const sums = points.map((point) => series.reduce((sum, name) => sum + point[name], 0))
  const max = Math.max(...sums, 1)
  const barStep = width / Math.max(points.length, 12)
  const perSecond = max / progress.step_seconds
  const [first, last] = [points[0], points.at(-1)]
  return (
    <figure className="progress-chart">
      <p className="muted">at most {compact(Math.round(perSecond))} a second</p>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Deliveries over time: at most ${number(Math.round(perSecond))} a second`}
      >
        {points.map((point, index) => {
          let top = height
          return (
            <g key={point.at}>
              {series.map((name) => {
                const size = (point[name] / max) * (height - 2)
                top -= size
                return size === 0 ? null : (
                  <rect
                    key={name}
                    className={`bar ${name}`}
                    x={index * barStep}
                    y={top}
                    width={Math.max(1, barStep - 1.5)}
                    height={size}
                  />
                )
              })}
            </g>
          )
        })}
        <line className="floor" x1={0} x2={width} y1={height - 0.5} y2={height - 0.5} />
      </svg>
      <p className="chart-axis muted">
        <span>{first ? secondOf(first.at) : ''}</span>
        <span>{last && last !== first ? secondOf(last.at) : ''}</span>
      </p>
    </figure>
  )
}

/** Stretches in which nothing ended have no row; a chart of time shows them. */
function filled({ step_seconds, points }: Progress): Progress['points'] {
  const stepMs = step_seconds * 1000
  const known = new Map(points.map((point) => [new Date(point.at).getTime(), point]))
  const times = [...known.keys()]
  const [first, last] = [Math.min(...times), Math.max(...times)]
  if (points.length === 0) return []
  const slots = Math.min(600, Math.round((last - first) / stepMs) + 1)
  return Array.from({ length: slots }, (_, index) => {
    const at = first + index * stepMs
    const none = { sent: 0, bounced: 0, suppressed: 0, failed: 0, expired: 0 }
    return known.get(at) ?? { at: new Date(at).toISOString(), ...none }
  })
}
