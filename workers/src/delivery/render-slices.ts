export interface SlicesOptions {
  /** Time that renderings may take before others have their turn, in milliseconds. */
  budgetMs: number
  /** How long the others have it, in milliseconds. */
  pauseMs: number
  /** Monotonic milliseconds. */
  now: () => number
}

/** Where a rendering waits: those of named people before broadcasts, workspaces in turn. */
export interface RenderPlace {
  isUrgent: boolean
  workspaceNo: number
}

/**
 * Shares the event loop between renderings of templates and everything else. Cheap ones run at once; once
 * they have used up a slice, those that follow wait for the next one.
 */
export function createSlices({ budgetMs, pauseMs, now }: SlicesOptions) {
  const urgent = new Map<number, (() => void)[]>()
  const bulk = new Map<number, (() => void)[]>()
  let spentMs = 0
  let isFresh = true
  let timer: NodeJS.Timeout | null = null

  function perform(render: () => void): void {
    if (isFresh) {
      isFresh = false
      setImmediate(() => {
        isFresh = true
        if (timer === null) spentMs = 0
      })
    }
    const began = now()
    render()
    spentMs += now() - began
    if (spentMs >= budgetMs) timer ??= setTimeout(resume, pauseMs)
  }

  function resume(): void {
    timer = null
    spentMs = 0
    for (let render = next(); render !== null; render = next()) {
      perform(render)
      if (timer !== null) return
    }
  }

  /** The next one of the workspace whose turn it is. */
  function next(): (() => void) | null {
    for (const waiting of [urgent, bulk]) {
      for (const [workspaceNo, renders] of waiting) {
        const first = renders.shift()
        // Last in the map has its turn last.
        waiting.delete(workspaceNo)
        if (renders.length > 0) waiting.set(workspaceNo, renders)
        if (first) return first
      }
    }
    return null
  }

  return {
    /** Renders now, or in a later slice. */
    run({ isUrgent, workspaceNo }: RenderPlace, render: () => void): void {
      if (timer === null) {
        perform(render)
        return
      }
      const waiting = isUrgent ? urgent : bulk
      const ofWorkspace = waiting.get(workspaceNo)
      if (ofWorkspace) ofWorkspace.push(render)
      else waiting.set(workspaceNo, [render])
    },
  }
}

export type Slices = ReturnType<typeof createSlices>
