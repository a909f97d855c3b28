import type { Urgency } from '@pushkeep/providers'

/** Times in milliseconds. */
export interface SlicesOptions {
  /** Time that renderings may take before everything else has its turn. */
  budgetMs: number
  /** How long everything else has it, at least. */
  pauseMs: number
  /** How long a rendering waits at most: what its device was when it was claimed must still hold (R6). */
  waitMaxMs: number
  /** Whether urgent pushes are going out. */
  urgency: Pick<Urgency, 'isFelt'>
  /** Monotonic. */
  now: () => number
}

/** As the workers use them. */
export const usualSlices = { budgetMs: 2, pauseMs: 4, waitMaxMs: 1000 }

/** Where a rendering waits: those of named people before broadcasts, workspaces in turn. */
export interface RenderPlace {
  isUrgent: boolean
  workspaceNo: number
}

/** A push that is to be rendered. `render` is called until it is done, or `overdue` once. */
export interface Rendering {
  /** `again`: it ran out of time. It waits for another slice, first of its workspace, as long as it may wait at all. */
  render: () => 'done' | 'again'
  /** It has waited too long. */
  overdue: () => void
}

interface Waiting {
  rendering: Rendering
  since: number
}

/** What waits of one workspace, urgent or not. */
interface Line {
  waiting: Waiting[]
  /** What it has rendered since it rested. */
  spentMs: number
  restsUntil: number
  /** What a rendering takes, the latest counting most. */
  costMs: number
}

/** A line rests for so many times what it took. */
const usualRest = 2

/** And so many times what it took beyond a slice, while urgent pushes go out: each of them meets a rendering that cannot be cut. */
const yieldingRest = 9

/** The share of the longest wait that is claimed ahead. */
const claimedAhead = 0.3

/** Lines that are remembered for what they cost. */
const linesMax = 1000

/**
 * Shares the event loop between renderings of templates and everything else. Cheap ones run at once. A workspace that
 * has used up a slice rests in proportion to what it took, so that costly templates slow their own broadcast.
 */
export function createSlices({ budgetMs, pauseMs, waitMaxMs, urgency, now }: SlicesOptions) {
  const urgent = new Map<number, Line>()
  const bulk = new Map<number, Line>()
  let spentMs = 0
  let isFresh = true
  let isPausing = false
  let timer: NodeJS.Timeout | null = null
  let wakesAt = Number.POSITIVE_INFINITY

  function perform(line: Line, turn: Waiting): void {
    if (isFresh) {
      isFresh = false
      setImmediate(() => {
        isFresh = true
        if (!isPausing) spentMs = 0
      })
    }
    const began = now()
    const result = turn.rendering.render()
    const ended = now()
    const ms = ended - began
    spentMs += ms
    line.spentMs += ms
    line.costMs += (ms - line.costMs) / 5
    const isLate = result === 'again'
    if (isLate) line.waiting.unshift(turn)
    if (line.spentMs >= budgetMs || isLate) {
      line.restsUntil = ended + restAfter(Math.max(line.spentMs, isLate ? budgetMs : 0), ended)
      line.spentMs = 0
    }
    if (spentMs >= budgetMs && !isPausing) {
      isPausing = true
      wakeIn(Math.max(pauseMs, spentMs))
    }
    if (isLate && !isPausing && line.restsUntil < wakesAt) wakeForRests()
  }

  function restAfter(ms: number, at: number): number {
    const beyond = Math.max(0, ms - budgetMs)
    const factor = urgency.isFelt(at) ? yieldingRest : usualRest
    return (ms - beyond) * usualRest + beyond * factor
  }

  function wakeIn(ms: number): void {
    if (timer !== null) clearTimeout(timer)
    wakesAt = now() + ms
    timer = setTimeout(resume, ms)
  }

  function resume(): void {
    timer = null
    wakesAt = Number.POSITIVE_INFINITY
    isPausing = false
    spentMs = 0
    dropOverdue()
    while (!isPausing) {
      const line = next()
      if (line === null) {
        wakeForRests()
        return
      }
      const first = line.waiting.shift()
      if (first) perform(line, first)
    }
  }

  /** The line whose turn it is. */
  function next(): Line | null {
    const at = now()
    for (const lines of [urgent, bulk]) {
      for (const [workspaceNo, line] of lines) {
        if (line.waiting.length === 0 || line.restsUntil > at) continue
        // Last in the map has its turn last.
        lines.delete(workspaceNo)
        lines.set(workspaceNo, line)
        return line
      }
    }
    return null
  }

  function wakeForRests(): void {
    const rests = [...urgent.values(), ...bulk.values()]
      .filter(({ waiting }) => waiting.length > 0)
      .map(({ restsUntil }) => restsUntil)
    if (rests.length > 0) wakeIn(Math.max(0, Math.min(...rests) - now()))
  }

  function dropOverdue(): void {
    const before = now() - waitMaxMs
    for (const lines of [urgent, bulk]) {
      for (const { waiting } of lines.values()) {
        const kept = waiting.findIndex(({ since }) => since > before)
        const overdue = waiting.splice(0, kept === -1 ? waiting.length : kept)
        for (const { rendering } of overdue) rendering.overdue()
      }
    }
  }

  function lineOf({ isUrgent, workspaceNo }: RenderPlace): Line {
    const lines = isUrgent ? urgent : bulk
    const known = lines.get(workspaceNo)
    if (known) return known
    for (const [no, { waiting, restsUntil }] of lines) {
      if (lines.size < linesMax) break
      if (waiting.length === 0 && restsUntil <= now()) lines.delete(no)
    }
    // What a new one costs is not known: it begins with a few.
    const fresh = { waiting: [], spentMs: 0, restsUntil: 0, costMs: 2 * budgetMs }
    lines.set(workspaceNo, fresh)
    return fresh
  }

  /** Time from the turn of one rendering to the next one's. */
  function turnMs({ costMs }: Line): number {
    return costMs + restAfter(costMs, now())
  }

  return {
    /** Renders now, or in a later slice. */
    run(place: RenderPlace, rendering: Rendering): void {
      const line = lineOf(place)
      const at = now()
      if (!isPausing && line.waiting.length === 0 && line.restsUntil <= at) {
        perform(line, { rendering, since: at })
        return
      }
      line.waiting.push({ rendering, since: at })
      if (!isPausing && line.restsUntil < wakesAt) wakeForRests()
    },
    /** How many more renderings of a workspace's broadcasts have their turn soon enough to be claimed now; 0: none. */
    room(workspaceNo: number): number {
      const line = lineOf({ isUrgent: false, workspaceNo })
      const turns = Math.floor((claimedAhead * waitMaxMs) / turnMs(line))
      if (line.waiting.length > 0) return Math.max(0, turns - line.waiting.length)
      return Math.max(1, turns)
    },
  }
}

export type Slices = ReturnType<typeof createSlices>
