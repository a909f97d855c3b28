import type { Limit } from './faults.ts'

interface Window {
  endsAt: number
  used: number
}

/** Counts requests by key in fixed windows. */
export class RateLimit {
  readonly #windows = new Map<string, Window>()

  /** Takes one place. Null where there was one, else the seconds until the window ends. */
  take(key: string, limit: Limit, now: number): number | null {
    let window = this.#windows.get(key)
    if (window === undefined || window.endsAt <= now) {
      window = { endsAt: now + limit.window_s * 1000, used: 0 }
      this.#windows.set(key, window)
    }
    if (window.used >= limit.requests) return Math.ceil((window.endsAt - now) / 1000)
    window.used += 1
    return null
  }

  clear(): void {
    this.#windows.clear()
  }
}
