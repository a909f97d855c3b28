/** Numbers and times as people read them. Times are ISO 8601 in, English out. */

const whole = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

/** 12,345 */
export function number(value: number): string {
  return whole.format(value)
}

/** 12.3K; small numbers as they are. */
export function compact(value: number): string {
  return Math.abs(value) < 10_000 ? whole.format(value) : short.format(value)
}

/** A share of 1 as a percentage. What is not all is never shown as all, nor something as nothing. */
export function percent(share: number): string {
  if (share > 0 && share < 0.001) return '< 0.1 %'
  if (share > 0.999 && share < 1) return '> 99.9 %'
  const points = share * 100
  return `${points < 10 && points % 1 !== 0 ? points.toFixed(1) : Math.round(points)} %`
}

/** One thing, or so many of them. */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${number(value)} ${value === 1 ? one : many}`
}

/** How long something takes or took: 12 s, 4 min, 3 h, 2 days. */
export function duration(seconds: number): string {
  if (seconds < 1) return 'under 1 s'
  if (seconds < 100) return `${Math.round(seconds)} s`
  if (seconds < 100 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

/** When something was or will be, seen from `now` (ms): 4 min ago, in 3 h. */
export function relative(iso: string, now: number): string {
  const seconds = (new Date(iso).getTime() - now) / 1000
  if (Math.abs(seconds) < 5) return 'now'
  return seconds < 0 ? `${duration(-seconds)} ago` : `in ${duration(seconds)}`
}

const dateTime = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
const date = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' })
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const exactClock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

/** 23 Nov 2026, 15:04:05 */
export function absolute(iso: string): string {
  return dateTime.format(new Date(iso))
}

/** 23 Nov 2026 */
export function day(iso: string): string {
  return date.format(new Date(iso))
}

/** 15:04 */
export function minuteOf(iso: string): string {
  return clock.format(new Date(iso))
}

/** 15:04:05 */
export function secondOf(iso: string): string {
  return exactClock.format(new Date(iso))
}

/** 45 ms, 1.2 s */
export function milliseconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}
