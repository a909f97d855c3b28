const dayMs = 86_400_000

/**
 * Waiting time in ms from a Retry-After header, at most a day: seconds or an HTTP date. Null where
 * there is none or it cannot be read. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null
  const text = header.trim()
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), dayMs)
}
