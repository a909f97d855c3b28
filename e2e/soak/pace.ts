/** Something that is done so many times a second, until it is stopped. */
export interface Pace {
  /** Begins no more, and waits for what is under way. */
  stop(): Promise<void>
}

const tickMs = 20

/**
 * Does `work` at a steady rate, whether or not the last ones are done: load does not wait for a
 * service that is slow. Past `atOnceMax` under way it is left out and `onLate` told.
 */
export function startPace(options: {
  perSecond: number
  atOnceMax: number
  work: () => Promise<void>
  onLate: () => void
  onError: (error: unknown) => void
}): Pace {
  const { perSecond, atOnceMax, work, onLate, onError } = options
  const began = performance.now()
  const running = new Set<Promise<void>>()
  let started = 0
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond)
    for (; started < due; started += 1) {
      if (running.size >= atOnceMax) {
        onLate()
        continue
      }
      const one = work()
        .catch(onError)
        .finally(() => running.delete(one))
      running.add(one)
    }
  }, tickMs)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(running)
    },
  }
}
