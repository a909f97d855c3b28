import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  mkdirSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Recording } from '@pushkeep/store'

/**
 * Keeps outcomes in a file from the moment they are known until they are recorded, so that a worker
 * that is killed takes none of them along: the next one to look finds them (journal-recovery.ts).
 */
export interface OutcomeJournal {
  /** Keeps outcomes. Returns once the file has them: a kill after that loses none. */
  append(outcomes: readonly Recording[]): void
  /** The `count` oldest are recorded. */
  recorded(count: number): void
  /** Says that this process lives. To be called well within `journalStaleMs`. */
  touch(): void
  /** Takes the file away, unless there is something in it that is not recorded. */
  close(): void
}

/** A journal that nobody has touched for so long belongs to a process that is gone. */
export const journalStaleMs = 3000

export const journalSuffix = '.outcomes'

/** Past that size a new file begins; the old one goes once all of it is recorded. */
const segmentBytesMax = 4 * 1024 * 1024

interface Segment {
  fd: number
  path: string
  bytes: number
  /** Outcomes in it that are not recorded yet. */
  open: number
}

/**
 * Opens a journal in a folder of this machine. Writing is synchronous and not flushed to the disk: what
 * the kernel has outlives the process, and a machine that falls leaves unknown outcomes as ever. Where
 * the disk does not take it, that is reported once and delivery goes on without.
 */
export function openJournal(
  directory: string,
  now: () => number,
  onError: (error: unknown) => void,
): OutcomeJournal {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  let segments: Segment[] = [openSegment(directory)]
  let hasFailed = false

  function current(): Segment {
    const last = segments.at(-1)
    if (last && last.bytes < segmentBytesMax) return last
    const next = openSegment(directory)
    segments.push(next)
    return next
  }

  function attempt(work: () => void) {
    try {
      work()
    } catch (error) {
      if (!hasFailed) onError(error)
      hasFailed = true
    }
  }

  function settle(segment: Segment) {
    if (segment.open > 0) return
    if (segment === segments.at(-1)) {
      if (segment.bytes > 0) ftruncateSync(segment.fd)
      segment.bytes = 0
      return
    }
    segments = segments.filter((other) => other !== segment)
    remove(segment)
  }

  return {
    append(outcomes) {
      attempt(() => {
        const segment = current()
        segment.open += outcomes.length
        const line = Buffer.from(`${JSON.stringify(outcomes)}\n`)
        segment.bytes += writeSync(segment.fd, line, 0, line.length, segment.bytes)
        hasFailed = false
      })
    },
    recorded(count) {
      let left = count
      for (const segment of [...segments]) {
        const taken = Math.min(left, segment.open)
        segment.open -= taken
        left -= taken
        attempt(() => settle(segment))
        if (left === 0) return
      }
    },
    touch() {
      attempt(() => {
        const seconds = now() / 1000
        for (const { fd } of segments) futimesSync(fd, seconds, seconds)
        // Somebody took us for dead while we stood still. What they took they record.
        const kept = segments.filter(({ fd }) => fstatSync(fd).nlink > 0)
        if (kept.length === segments.length) return
        for (const segment of segments) if (!kept.includes(segment)) closeSync(segment.fd)
        segments = kept
        current()
      })
    },
    close() {
      for (const segment of segments) {
        attempt(() => (segment.open === 0 ? remove(segment) : closeSync(segment.fd)))
      }
      segments = []
    },
  }
}

function openSegment(directory: string): Segment {
  const path = join(directory, `${randomUUID()}${journalSuffix}`)
  return { fd: openSync(path, 'wx', 0o600), path, bytes: 0, open: 0 }
}

function remove({ fd, path }: Segment) {
  closeSync(fd)
  try {
    unlinkSync(path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}
