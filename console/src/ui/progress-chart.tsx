import type { Message } from '@pushkeep/console-api'
import { compact, number, secondOf } from './format.ts'

const series = ['sent', 'bounced', 'suppressed', 'failed', 'expired'] as const

const height = 120
const width = 600

/** A short course does not fill the chart, and a long one has no slot narrower than a point. */
const slotsMin = 12
const slotsMax = 600

type Progress = NonNullable<Message['progress']>

/** How many deliveries ended, over time, stacked by how; of a message that has a course already. */
export function ProgressChart({ progress }: { progress: Progress }) {
  const { stepMs, slots } = courseOf(progress)
  const sums = slots.map((point) => series.reduce((sum, name) => sum + point[name], 0))
  const max = Math.max(...sums, 1)
  const slotsShown = Math.max(slots.length, slotsMin)
  const barStep = width / slotsShown
  const perSecond = max / (stepMs / 1000)
  const begins = new Date(slots[0]?.at ?? 0).getTime()
  return (
    <figure className="progress-chart">
      <p className="muted">at most {compact(Math.round(perSecond))} a second</p>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Deliveries over time: at most ${number(Math.round(perSecond))} a second`}
      >
        {slots.map((point, index) => {
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
        <span>{secondOf(new Date(begins).toISOString())}</span>
        <span>{secondOf(new Date(begins + slotsShown * stepMs).toISOString())}</span>
      </p>
    </figure>
  )
}

interface Course {
  /** Length of a slot. */
  stepMs: number
  slots: Progress['points']
}

/**
 * The course by slots of one length: stretches in which nothing ended have no row, and a chart of time
 * shows them; a long course, of a message that was tried again for hours, has longer slots.
 */
function courseOf({ step_seconds, points }: Progress): Course {
  const times = points.map(({ at }) => new Date(at).getTime())
  const first = Math.min(...times)
  const steps = Math.round((Math.max(...times) - first) / (step_seconds * 1000)) + 1
  const stepMs = step_seconds * 1000 * Math.ceil(steps / slotsMax)
  const slots = Array.from(
    { length: Math.ceil((steps * step_seconds * 1000) / stepMs) },
    (_, index) => ({
      at: new Date(first + index * stepMs).toISOString(),
      sent: 0,
      bounced: 0,
      suppressed: 0,
      failed: 0,
      expired: 0,
    }),
  )
  for (const [index, point] of points.entries()) {
    const slot = slots[Math.floor(((times[index] ?? first) - first) / stepMs)]
    if (slot) for (const name of series) slot[name] += point[name]
  }
  return { stepMs, slots }
}
