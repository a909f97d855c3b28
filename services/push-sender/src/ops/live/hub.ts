import { createHash } from 'node:crypto'

/** Something that several pages may watch. */
export interface Feed {
  /** Tells one from the next: pages with the same key share its reading. */
  key: string
  /** Reads it anew, and says when to read it again, in ms. */
  read: () => Promise<{ value: unknown; nextMs: number }>
}

/** A state of a feed. `id` follows from the data: the same in every process, so that a page resumes anywhere. */
export interface LiveEvent {
  id: string
  data: string
}

export interface Listener {
  onEvent: (event: LiveEvent) => void
  /** It could not be read; reading goes on. */
  onTrouble: () => void
}

export interface HubOptions {
  /** How long to wait after a reading that failed, in ms. */
  retryMs: number
  onError: (error: unknown) => void
}

interface Watched {
  listeners: Set<Listener>
  last: LiveEvent | null
  timer: NodeJS.Timeout | undefined
}

/**
 * Reads each feed once for all who watch it, as long as anybody does, and tells what has changed.
 * The next reading begins after the last one ended: a slow database is not asked faster.
 */
export function createHub(options: HubOptions) {
  const watched = new Map<string, Watched>()

  async function read(feed: Feed, entry: Watched): Promise<void> {
    let nextMs = options.retryMs
    try {
      const answer = await feed.read()
      nextMs = answer.nextMs
      const data = JSON.stringify(answer.value)
      const event = { id: digestOf(data), data }
      if (event.id !== entry.last?.id) {
        entry.last = event
        for (const listener of entry.listeners) listener.onEvent(event)
      }
    } catch (error) {
      options.onError(error)
      for (const listener of entry.listeners) listener.onTrouble()
    }
    if (entry.listeners.size > 0) entry.timer = setTimeout(() => void read(feed, entry), nextMs)
  }

  return {
    /** Watches a feed; its present state comes first. Returns how to stop. */
    watch(feed: Feed, listener: Listener): () => void {
      const known = watched.get(feed.key)
      const entry = known ?? { listeners: new Set<Listener>(), last: null, timer: undefined }
      entry.listeners.add(listener)
      if (known?.last) listener.onEvent(known.last)
      if (!known) {
        watched.set(feed.key, entry)
        void read(feed, entry)
      }
      return () => {
        entry.listeners.delete(listener)
        if (entry.listeners.size > 0) return
        clearTimeout(entry.timer)
        if (watched.get(feed.key) === entry) watched.delete(feed.key)
      }
    },
    /** Feeds that are read now. */
    size: () => watched.size,
  }
}

export type Hub = ReturnType<typeof createHub>

function digestOf(data: string): string {
  return createHash('sha256').update(data).digest('base64url').slice(0, 16)
}
