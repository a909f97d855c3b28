import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { createHub, type Feed } from '../src/ops/live/hub.ts'
import { createStreams } from '../src/ops/live/streams.ts'

/** A feed whose value a test sets; it counts its readings. */
function createFeed(key = 'feed') {
  let value: unknown = 0
  const feed = {
    key,
    readings: 0,
    isAway: false,
    set: (next: unknown) => {
      value = next
    },
    async read() {
      feed.readings += 1
      if (feed.isAway) throw new Error('away')
      return { value, nextMs: 5 }
    },
  }
  return feed satisfies Feed
}

const createTestHub = () => createHub({ retryMs: 5, onError: () => {} })

function listen(hub: ReturnType<typeof createHub>, feed: Feed) {
  const events: string[] = []
  let troubles = 0
  const stop = hub.watch(feed, {
    onEvent: ({ data }) => events.push(data),
    onTrouble: () => {
      troubles += 1
    },
  })
  return { events, stop, troubles: () => troubles }
}

test('a feed is read once for all who watch it, and no more when nobody does', async () => {
  const hub = createTestHub()
  const feed = createFeed()
  const [one, two] = [listen(hub, feed), listen(hub, feed)]
  await expect.poll(() => two.events).toEqual(['0'])
  expect(one.events).toEqual(['0'])
  const before = feed.readings
  await expect.poll(() => feed.readings).toBeGreaterThan(before + 2)
  expect(hub.size()).toBe(1)
  one.stop()
  two.stop()
  expect(hub.size()).toBe(0)
  await sleep(20)
  const after = feed.readings
  await sleep(40)
  expect(feed.readings).toBe(after)
})

test('only what has changed is told; who comes later gets the present state at once', async () => {
  const hub = createTestHub()
  const feed = createFeed()
  const one = listen(hub, feed)
  await expect.poll(() => feed.readings).toBeGreaterThan(3)
  expect(one.events).toEqual(['0'])
  feed.set({ sent: 7 })
  await expect.poll(() => one.events).toEqual(['0', '{"sent":7}'])
  const late = listen(hub, feed)
  expect(late.events).toEqual(['{"sent":7}'])
  one.stop()
  late.stop()
})

test('a reading that fails is told, and goes on', async () => {
  const hub = createTestHub()
  const feed = createFeed()
  feed.isAway = true
  const one = listen(hub, feed)
  await expect.poll(() => one.troubles()).toBeGreaterThan(1)
  expect(one.events).toEqual([])
  feed.isAway = false
  await expect.poll(() => one.events).toEqual(['0'])
  one.stop()
})

let server: Server | null = null
afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)))
  server = null
})

/** Streams behind a real server; a request's headers say whose session it is. */
async function serve(
  options: {
    streamsMax?: number
    perWorkspaceMax?: number
    perKeyMax?: number
    perSessionMax?: number
  } = {},
) {
  const hub = createTestHub()
  const feed = createFeed()
  const sessions = new Set(['ana', 'bert'])
  const streams = createStreams({
    hub,
    streamsMax: options.streamsMax ?? 10,
    perWorkspaceMax: options.perWorkspaceMax ?? 10,
    perKeyMax: options.perKeyMax ?? 10,
    perSessionMax: options.perSessionMax ?? 10,
    heartbeatMs: 10,
  })
  server = createServer((request, response) => {
    const session = String(request.headers['x-session'])
    const watcher = {
      session,
      keyId: String(request.headers['x-key'] ?? 'key'),
      workspaceNo: Number(request.headers['x-workspace'] ?? 1),
    }
    const seen = request.headers['last-event-id']
    try {
      streams.admit(watcher)
    } catch (error) {
      const { statusCode = 500 } = error as { statusCode?: number }
      response.writeHead(statusCode).end()
      return
    }
    streams.stream(response, {
      feed,
      watcher,
      stillHolds: async () => sessions.has(session),
      lastEventId: typeof seen === 'string' ? seen : null,
    })
  })
  const { port } = await new Promise<AddressInfo>((resolve) => {
    const listening = server?.listen(0, '127.0.0.1', () =>
      resolve(listening?.address() as AddressInfo),
    )
  })
  return { hub, feed, sessions, streams, url: `http://127.0.0.1:${port}/` }
}

/** What a page has received so far, and whether its stream has ended. */
function open(url: string, headers: Record<string, string>) {
  const abort = new AbortController()
  const page = { text: '', status: 0, isOver: false, leave: () => abort.abort() }
  void fetch(url, { headers, signal: abort.signal })
    .then(async (response) => {
      page.status = response.status
      const decoder = new TextDecoder()
      for await (const part of response.body ?? []) page.text += decoder.decode(part)
    })
    .catch(() => {})
    .finally(() => {
      page.isOver = true
    })
  return page
}

test('a page gets the state, its changes, and signs of life; when it leaves nothing is left', async () => {
  const { url, feed, streams, hub } = await serve()
  const page = open(url, { 'x-session': 'ana' })
  await expect.poll(() => page.text).toMatch(/^retry: 2000\n\n(: \n\n)*id: [\w-]{16}\ndata: 0\n\n/)
  await expect.poll(() => page.text).toContain('\n\n: \n\n')
  feed.set(8)
  await expect.poll(() => page.text).toContain('data: 8\n\n')
  page.leave()
  await expect.poll(() => streams.size()).toBe(0)
  expect(hub.size()).toBe(0)
})

test('a page that comes back is told what it has not seen', async () => {
  const { url, feed } = await serve()
  const first = open(url, { 'x-session': 'ana' })
  await expect.poll(() => first.text).toContain('data: 0')
  const id = /id: ([\w-]+)/.exec(first.text)?.[1] ?? ''
  first.leave()
  const second = open(url, { 'x-session': 'ana', 'last-event-id': id })
  await expect.poll(() => second.text).toContain(': \n\n')
  expect(second.text).not.toContain('data: 0')
  feed.set('news')
  await expect.poll(() => second.text).toContain('data: "news"')
  second.leave()
})

test('a session that has ended ends its streams', async () => {
  const { url, sessions } = await serve()
  const page = open(url, { 'x-session': 'ana' })
  await expect.poll(() => page.text).toContain('data: 0')
  sessions.delete('ana')
  await expect.poll(() => page.isOver).toBe(true)
  expect(page.text).toContain('event: signed-out\n')
})

test('trouble is told while it lasts, and the stream goes on', async () => {
  const { url, feed } = await serve()
  feed.isAway = true
  const page = open(url, { 'x-session': 'ana' })
  await expect.poll(() => page.text).toContain('event: trouble\n')
  feed.isAway = false
  await expect.poll(() => page.text).toContain('data: 0')
  page.leave()
})

test('streams are bounded, by session and in all', async () => {
  const { url, streams } = await serve({ streamsMax: 3, perSessionMax: 2 })
  const pages: ReturnType<typeof open>[] = []
  for (const session of ['ana', 'ana', 'bert']) {
    pages.push(open(url, { 'x-session': session }))
    await expect.poll(() => streams.size()).toBe(pages.length)
  }
  const full = open(url, { 'x-session': 'bert' })
  await expect.poll(() => full.status).toBe(503)
  pages[2]?.leave()
  await expect.poll(() => streams.size()).toBe(2)
  const third = open(url, { 'x-session': 'ana' })
  await expect.poll(() => third.status).toBe(429)
  streams.close()
  await expect.poll(() => pages.every((page) => page.isOver)).toBe(true)
  expect(streams.size()).toBe(0)
})

test('one key or workspace does not take the streams of all', async () => {
  const { url, streams } = await serve({ streamsMax: 6, perWorkspaceMax: 4, perKeyMax: 2 })
  const pages: ReturnType<typeof open>[] = []
  const watch = (workspace: string, key: string) => {
    const page = open(url, { 'x-session': 'ana', 'x-key': key, 'x-workspace': workspace })
    pages.push(page)
    return page
  }
  for (const key of ['a', 'a', 'b', 'b']) {
    watch('1', key)
    await expect.poll(() => streams.size()).toBe(pages.length)
  }
  const ofKey = watch('2', 'a')
  await expect.poll(() => ofKey.status).toBe(429)
  const ofWorkspace = watch('1', 'c')
  await expect.poll(() => ofWorkspace.status).toBe(429)
  const other = watch('2', 'd')
  await expect.poll(() => other.status).toBe(200)
  streams.close()
})
