import { duration, type Finding, ok, problem, warning } from '../finding.ts'

/** Two seconds may be the network's; Google refuses assertions that are minutes off, APNs an hour. */
const warnAfterMs = 2000
const refusedAfterMs = 5 * 60_000

/** Two clocks of one installation. `skewMs`: how far the other one is ahead of ours. */
export function judgeClock(other: string, skewMs: number): Finding {
  const off = Math.abs(skewMs)
  const said =
    off < 1000
      ? `this machine and ${other} agree within a second`
      : `${other} is ${duration(off / 1000)} ${skewMs > 0 ? 'ahead of' : 'behind'} this machine`
  if (off < warnAfterMs) return ok('clock', said)
  const todo = 'set both clocks (NTP)'
  return off < refusedAfterMs
    ? warning('clock', said, todo)
    : problem('clock', said, `${todo}: APNs and Google refuse what is signed by a wrong one`)
}
