import type { DeviceCount, Overview } from '@pushkeep/console-api'
import { number, percent } from '../../ui/format.ts'
import { Legend, Stack, type StackPart } from '../../ui/stack.tsx'
import { Empty } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import type { NameOfApp } from '../../words/problems.ts'

export interface DevicesProps {
  devices: Overview['devices']
  nameOf: NameOfApp
}

const platformNames = { ios: 'iOS', android: 'Android' }

/** How many devices a push would reach now, and why not the others. */
export function Devices({ devices, nameOf }: DevicesProps) {
  const counts = devices?.counts ?? []
  return (
    <section className="card" aria-labelledby="devices">
      <h2 id="devices">
        Reachable devices{' '}
        {devices && (
          <span className="muted">
            counted <Time at={devices.counted_at} />
            {devices.is_estimate && ', from a sample'}
          </span>
        )}
      </h2>
      {counts.length === 0 ? (
        <Empty title={devices ? 'No device is registered yet' : 'Not counted yet'}>
          <p>
            {devices
              ? 'Apps register their devices with the token registry: PUT /v1/people/{id}/devices.'
              : 'Devices are counted every five minutes.'}
          </p>
        </Empty>
      ) : (
        <>
          <ul className="lanes wide">
            {counts.map((one) => (
              <li key={`${one.app_id} ${one.platform} ${one.environment}`} className="lane">
                <p className="lane-head">
                  <strong>{nameOf(one.app_id)}</strong> {platformNames[one.platform]}
                  {one.environment && <span className="muted"> {one.environment}</span>}
                  <span className="lane-figure">
                    {number(one.reachable)} <span className="muted">of {number(totalOf(one))}</span>
                  </span>
                </p>
                <Stack label="Devices" parts={partsOf([one])} />
              </li>
            ))}
          </ul>
          <Legend parts={partsOf(counts)} />
          <p className="muted">
            {percent(reachableShare(counts))} of all devices would get a push now.
          </p>
        </>
      )}
    </section>
  )
}

function partsOf(counts: readonly DeviceCount[]): StackPart[] {
  const sum = (of: (one: DeviceCount) => number) => counts.reduce((all, one) => all + of(one), 0)
  return [
    { label: 'reachable', series: 'opened', value: sum((one) => one.reachable) },
    { label: 'not allowed', series: 'suppressed', value: sum((one) => one.push_disabled) },
    { label: 'dead token', series: 'bounced', value: sum((one) => one.dead) },
    { label: 'of another app', series: 'failed', value: sum((one) => one.failing) },
    { label: 'person suppressed', series: 'expired', value: sum((one) => one.suppressed) },
  ]
}

function totalOf(one: DeviceCount): number {
  return one.reachable + one.suppressed + one.dead + one.push_disabled + one.failing
}

function reachableShare(counts: readonly DeviceCount[]): number {
  const all = counts.reduce((sum, one) => sum + totalOf(one), 0)
  return all === 0 ? 0 : counts.reduce((sum, one) => sum + one.reachable, 0) / all
}
