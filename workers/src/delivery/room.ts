/** Holds back the windows of broadcasts while a provider has enough to do. */
export interface Room {
  /**
   * Resolves when a window may be claimed. Call what it gives once the window's pushes are handed to
   * the provider, or where there are none.
   */
  enter(): Promise<() => void>
  /** The provider finished something: somebody may enter. */
  changed(): void
  /** From now on nobody waits: this process is to end, and whoever waits has to know. */
  open(): void
}

/** Windows that wait claimed: enough to hide the time of a claim, few enough to leave at once (R6). */
const windowsAhead = 2

/** `backlog` tells how many pushes wait at the provider. */
export function createRoom(backlog: () => number, windowSize: number): Room {
  let entered = 0
  let isOpen = false
  const waiting: (() => void)[] = []

  function admit() {
    while (
      waiting.length > 0 &&
      (isOpen || backlog() + entered * windowSize < windowsAhead * windowSize)
    ) {
      entered += 1
      waiting.shift()?.()
    }
  }

  function leave() {
    entered -= 1
    admit()
  }

  return {
    enter: () =>
      new Promise((resolve) => {
        waiting.push(() => resolve(leave))
        admit()
      }),
    changed: admit,
    open() {
      isOpen = true
      admit()
    },
  }
}
