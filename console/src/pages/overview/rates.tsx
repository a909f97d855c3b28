import type { Minute } from '@pushkeep/console-api'
import { useState } from 'react'
import { minuteOf, number } from '../../ui/format.ts'
import { MinuteChart } from '../../ui/minute-chart.tsx'
import { Scroll } from '../../ui/scroll.tsx'

const series = [
  { name: 'accepted', label: 'Accepted' },
  { name: 'sent', label: 'Sent' },
  { name: 'bounced', label: 'Bounced' },
  { name: 'suppressed', label: 'Suppressed' },
  { name: 'failed', label: 'Failed' },
  { name: 'expired', label: 'Expired' },
] as const

/** Recipients a minute over the last hour: one small chart each, and all of it as a table. */
export function Rates({ minutes }: { minutes: Minute[] }) {
  const [pointed, point] = useState<number | null>(null)
  return (
    <section className="card" aria-labelledby="rates">
      <h2 id="rates">
        Recipients a minute <span className="muted">last hour</span>
      </h2>
      <div className="minute-charts">
        {series.map(({ name, label }) => (
          <MinuteChart
            key={name}
            label={label}
            series={name}
            values={minutes.map((minute) => ({ at: minute.at, value: minute[name] }))}
            pointed={pointed}
            onPoint={point}
          />
        ))}
      </div>
      <details className="numbers">
        <summary>As a table</summary>
        <Scroll label="Recipients by minute">
          <table>
            <thead>
              <tr>
                <th scope="col">Minute</th>
                {series.map(({ name, label }) => (
                  <th key={name} scope="col" className="figure">
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {minutes.toReversed().map((minute) => (
                <tr key={minute.at}>
                  <th scope="row">{minuteOf(minute.at)}</th>
                  {series.map(({ name }) => (
                    <td key={name} className="figure">
                      {number(minute[name])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </section>
  )
}
