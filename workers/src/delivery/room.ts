/** Holds back the windows of broadcasts while a provider has enough to do. */
export interface Room {
  /**
   * Resolves when a window may be claimed: the provider has room, and `isHeld` says no. Call what it gives once the
   * window's pushes are handed to the provider, or where there are none.
   */
  enter(isHeld: () => boolean): Promise<() => void>
  /** The provider finished something: a window may enter. */
  changed(): void
  /** From now on no window waits: this process is to end, and those that wait have to know. */
  open(): void
}

/** Windows that wait claimed: enough to hide the time of a claim, few enough to leave at once (R6). */
const windowsAhead = 2

interface Waiting {
  isHeld: () => boolean
  enter: () => void
}

/** A held window is looked at this often: what holds it may be rendered for another provider, which tells its own room. */
const lookAgainMs = 50

/** `backlog` tells how many pushes wait at the provider. */
export function createRoom(backlog: () => number, windowSize: number): Room {
  let entered = 0
  let isOpen = false
  const waiting: Waiting[] = []
  let isToLookAgain = false

  const hasRoom = () => backlog() + entered * windowSize < windowsAhead * windowSize

  function admit() {
    while (waiting.length > 0 && (isOpen || hasRoom())) {
      const index = waiting.findIndex(({ isHeld }) => isOpen || !isHeld())
      if (index === -1) {
        lookAgain()
        return
      }
      entered += 1
      for (const { enter } of waiting.splice(index, 1)) enter()
    }
  }

  function lookAgain() {
    if (isToLookAgain) return
    isToLookAgain = true
    setTimeout(() => {
      isToLookAgain = false
      admit()
    }, lookAgainMs)
  }

  function leave() {
    entered -= 1
    admit()
  }

  return {
    enter: (isHeld) =>
      new Promise((resolve) => {
        waiting.push({ isHeld, enter: () => resolve(leave) })
        admit()
      }),
    changed: admit,
    open() {
      isOpen = true
      admit()
    },
  }
}
