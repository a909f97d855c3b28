import { useEffect, useState } from 'react'
import { absolute, relative } from './format.ts'

/** The time in ms, anew every so often. */
export function useNow(everyMs = 5000): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

/** How long ago, or how soon; exactly when, for whoever points at it. */
export function Time({ at }: { at: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={absolute(at)}>
      {relative(at, now)}
    </time>
  )
}
