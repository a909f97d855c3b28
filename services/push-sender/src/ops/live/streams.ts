import type { ServerResponse } from 'node:http'
import { ProblemError, unavailable } from '@pushkeep/runtime'
import type { Feed, Hub, LiveEvent } from './hub.ts'

export interface StreamsOptions {
  hub: Hub
  /** Most streams of this process, of one workspace, of one key, and of one session. */
  streamsMax: number
  perWorkspaceMax: number
  perKeyMax: number
  perSessionMax: number
  /** A sign of life this often, and with it a look whether the session still holds, in ms. */
  heartbeatMs: number
}

/** Who watches: streams are counted by each, so that no one takes those of all. */
export interface Watcher {
  workspaceNo: number
  keyId: string
  /** The session's secret. */
  session: string
}

export interface StreamRequest {
  feed: Feed
  watcher: Watcher
  /** Whether the session still holds. */
  stillHolds: () => Promise<boolean>
  /** The last event that the page has seen, where it comes back; null: none. */
  lastEventId: string | null
}

/**
 * Server-sent events: the state of one feed, whenever it has changed. Bounded in number; a client
 * that reads slowly gets the newest state when it is ready, not all that it missed.
 */
export function createStreams(options: StreamsOptions) {
  const open = new Map<ServerResponse, { watcher: Watcher; end: () => void }>()

  /** Refuses one more where there are too many; call it before the answer begins. */
  function admit(watcher: Watcher): void {
    if (open.size >= options.streamsMax) {
      throw unavailable('too_many_streams', 'too many pages are watching', 10)
    }
    const all = [...open.values()].map((stream) => stream.watcher)
    const bounds = [
      ['session', 'session', options.perSessionMax],
      ['keyId', 'key', options.perKeyMax],
      ['workspaceNo', 'workspace', options.perWorkspaceMax],
    ] as const
    for (const [name, who, most] of bounds) {
      if (all.filter((other) => other[name] === watcher[name]).length < most) continue
      throw new ProblemError(429, 'too_many_streams', {
        detail: `a ${who} may watch ${most} pages at a time in one process`,
        headers: { 'retry-after': '10' },
      })
    }
  }

  /** Answers a request that was admitted, until the page leaves or the session ends. */
  function stream(response: ServerResponse, request: StreamRequest): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // A proxy that gathers answers would hold events back.
      'x-accel-buffering': 'no',
    })
    response.write('retry: 2000\n\n')
    let seen = request.lastEventId
    let waiting: LiveEvent | null = null

    function send(event: LiveEvent): void {
      if (event.id === seen) return
      if (response.writableNeedDrain) {
        waiting = event
        return
      }
      waiting = null
      seen = event.id
      response.write(`id: ${event.id}\ndata: ${event.data}\n\n`)
    }

    const stop = options.hub.watch(request.feed, {
      onEvent: send,
      onTrouble: () => {
        if (!response.writableNeedDrain) response.write('event: trouble\ndata: {}\n\n')
      },
    })
    const heartbeat = setInterval(() => void beat(), options.heartbeatMs)

    async function beat(): Promise<void> {
      // Without a database nobody can tell; the next beat does.
      const holds = await request.stillHolds().catch(() => true)
      if (!holds) {
        response.write('event: signed-out\ndata: {}\n\n')
        end()
      } else if (!response.writableNeedDrain) response.write(': \n\n')
    }

    function end(): void {
      clearInterval(heartbeat)
      stop()
      open.delete(response)
      response.end()
    }

    response.on('drain', () => {
      if (waiting) send(waiting)
    })
    response.on('close', end)
    response.on('error', end)
    open.set(response, { watcher: request.watcher, end })
  }

  return {
    admit,
    stream,
    size: () => open.size,
    /** Ends them all: pages come back to another process, or to this one when it is up again. */
    close(): void {
      for (const { end } of open.values()) end()
    },
  }
}

export type Streams = ReturnType<typeof createStreams>
