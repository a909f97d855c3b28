import { constants } from 'node:http2'
import { expect, test } from 'vitest'
import type { RequestResult } from '../src/exchange.ts'
import {
  burst,
  doubled,
  poolTo,
  proxyTo,
  requestHeaders,
  send,
  serve,
  stream,
  tally,
  until,
} from './pool-harness.ts'

const later = (ms: number, what: () => void) => setTimeout(what, ms)

test('a GOAWAY lets the streams up to its last id finish and sends the others again', async () => {
  const server = await serve((arrival, server) => {
    const { stream, session, order } = arrival
    if (order === 60) session.goaway(constants.NGHTTP2_NO_ERROR, 99)
    if (session === server.sessions[0] && Number(stream.id) > 99) return
    later(20, () => server.answer(arrival))
  })
  const pool = poolTo(server)
  expect(tally(await burst(pool, 200))).toEqual({ 200: 200 })
  expect(server.served.size).toBe(200)
  expect(doubled(server)).toEqual([])
  expect(pool.stats()).toMatchObject({ goaways: 1, resent: 150, connects: 2 })
})

test('a GOAWAY that leaves nothing unprocessed sends nothing again', async () => {
  const server = await serve((arrival, server) => {
    if (arrival.order === 100) arrival.session.goaway()
    later(20, () => server.answer(arrival))
  })
  const pool = poolTo(server)
  expect(tally(await burst(pool, 100))).toEqual({ 200: 100 })
  expect(doubled(server)).toEqual([])
  expect(pool.stats()).toMatchObject({ goaways: 1, resent: 0 })
})

test('under load, a graceful GOAWAY every 200 requests loses nothing and doubles nothing', async () => {
  const lastIds = new Map<object, number>()
  const server = await serve(({ stream, session, headers, order }, server) => {
    if (lastIds.has(session) && Number(stream.id) > Number(lastIds.get(session))) return
    if (order % 200 === 0 && !lastIds.has(session)) {
      // RFC 9113 §6.8: first a warning with the highest id there is, then the one that counts.
      lastIds.set(session, 2 ** 31 - 1)
      session.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1)
      later(2, () => {
        lastIds.set(session, highest.get(session) ?? 0)
        session.goaway(constants.NGHTTP2_NO_ERROR, highest.get(session) ?? 0)
      })
    }
    highest.set(session, Math.max(highest.get(session) ?? 0, Number(stream.id)))
    later(3, () => server.answer({ stream, session, headers, order }))
  })
  const highest = new Map<object, number>()
  const pool = poolTo(server)
  expect(tally(await stream(pool, 3000, 100))).toEqual({ 200: 3000 })
  expect(server.served.size).toBe(3000)
  expect(doubled(server)).toEqual([])
  expect(pool.stats().goaways).toBeGreaterThan(8)
})

test('a request that a graceful GOAWAY keeps from being written is sent again', async () => {
  const server = await serve((arrival, server) => {
    if (arrival.order === 1) {
      // Keeps the connection, so that no second GOAWAY says which requests were left out.
      later(100, () => server.answer(arrival))
      return
    }
    server.answer(arrival)
    // In one piece with the answer: what is sent in response to that one comes too late.
    if (arrival.order === 2) arrival.session.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1)
  })
  const pool = poolTo(server)
  const slow = send(pool, 'slow')
  const late = await new Promise<RequestResult>((resolve, reject) => {
    pool.request(requestHeaders('quick'), Buffer.from('{}'), false, () => {
      send(pool, 'late').then(resolve, reject)
    })
  })
  expect(tally([late, await slow])).toEqual({ 200: 2 })
  expect(pool.stats()).toMatchObject({ resent: 1, goaways: 1, connects: 2 })
  expect([...server.served.values()]).toEqual([1, 1, 1])
})

test('a GOAWAY with an error ends the connection: only what it declares unprocessed goes again', async () => {
  const server = await serve((arrival, server) => {
    const { stream, session, order } = arrival
    if (order === 20) session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 19)
    if (session === server.sessions[0]) {
      if (Number(stream.id) <= 19) server.served.set(String(arrival.headers['apns-id']), 1)
      return
    }
    server.answer(arrival)
  })
  const pool = poolTo(server)
  const counts = tally(await burst(pool, 50))
  expect(counts).toEqual({ 200: 40, 'unknown goaway ENHANCE_YOUR_CALM': 10 })
  expect(doubled(server)).toEqual([])
})

test('a refused stream is sent again at once', async () => {
  const server = await serve((arrival, server) => {
    if (arrival.order <= 30) arrival.stream.close(constants.NGHTTP2_REFUSED_STREAM)
    else server.answer(arrival)
  })
  const pool = poolTo(server)
  expect(tally(await burst(pool, 100))).toEqual({ 200: 100 })
  expect(doubled(server)).toEqual([])
  expect(pool.stats()).toMatchObject({ resent: 30, connects: 1 })
})

test('a peer that refuses every stream is asked six times', async () => {
  const server = await serve(({ stream }) => stream.close(constants.NGHTTP2_REFUSED_STREAM))
  const pool = poolTo(server)
  expect(await send(pool)).toEqual({ kind: 'not-processed', reason: 'refused' })
  expect(pool.stats().resent).toBe(5)
})

test('any other reset is an unknown outcome and is not repeated', async () => {
  const codes = ['CANCEL', 'INTERNAL_ERROR', 'ENHANCE_YOUR_CALM'] as const
  const server = await serve(({ stream, order }) => {
    stream.close(constants[`NGHTTP2_${codes[order - 1] ?? 'CANCEL'}`])
  })
  const pool = poolTo(server)
  for (const code of codes) {
    expect(await send(pool)).toEqual({ kind: 'unknown', reason: `reset ${code}` })
  }
  expect(pool.stats().resent).toBe(0)
})

test('a stream that ends without headers is an unknown outcome', async () => {
  const server = await serve(({ stream }) => stream.close(constants.NGHTTP2_NO_ERROR))
  expect(await send(poolTo(server))).toEqual({ kind: 'unknown', reason: 'reset NO_ERROR' })
})

test.each(['reset', 'finished'])('a connection %s after the request is unknown', async (how) => {
  const server = await serve(({ session }) => {
    if (how === 'reset') session.socket.destroy()
    else session.destroy()
  })
  const pool = poolTo(server)
  const results = await burst(pool, 5)
  expect(results.map(({ kind }) => kind)).toEqual(Array(5).fill('unknown'))
})

test('a silent connection is found by a PING and replaced', async () => {
  const server = await serve((arrival, server) => server.answer(arrival))
  const proxy = await proxyTo(server)
  const settings = { pingBusyMs: 100, pingIdleMs: 200, pingTimeoutMs: 100 }
  const pool = poolTo({ url: proxy.url, ca: server.ca }, settings)
  expect(tally(await burst(pool, 5))).toEqual({ 200: 5 })
  proxy.freeze()
  const startedAt = performance.now()
  expect(tally(await burst(pool, 5))).toEqual({ 'unknown silent-connection': 5 })
  expect(performance.now() - startedAt).toBeLessThan(400)
  expect(tally(await burst(pool, 5))).toEqual({ 200: 5 })
  expect(pool.stats()).toMatchObject({ replaced: 1, connects: 2 })
})

test('an idle connection that went silent is ended before anyone needs it', async () => {
  const server = await serve((arrival, server) => server.answer(arrival))
  const proxy = await proxyTo(server)
  const pool = poolTo({ url: proxy.url, ca: server.ca }, { pingIdleMs: 100, pingTimeoutMs: 100 })
  await send(pool)
  proxy.freeze()
  await until(() => pool.stats().sessions === 0)
  expect(tally([await send(pool)])).toEqual({ 200: 1 })
})

test('a burst on a cold connection to a peer that starts with one stream loses nothing', async () => {
  const server = await serve(
    (arrival, server) => {
      if (arrival.order === 1) arrival.session.settings({ maxConcurrentStreams: 1000 })
      server.answer(arrival)
    },
    { settings: { maxConcurrentStreams: 1 } },
  )
  const pool = poolTo(server)
  expect(tally(await burst(pool, 500))).toEqual({ 200: 500 })
  expect(pool.stats()).toMatchObject({ resent: 0, connects: 1 })
})

test('a peer that carries fewer streams than it says is not asked for more than it carried', async () => {
  let answers = 0
  const server = await serve(
    (arrival, server) => {
      later(150, () => {
        answers += 1
        server.answer(arrival)
      })
    },
    { settings: { maxConcurrentStreams: 1000 }, allowed: () => (answers === 0 ? 1 : 1000) },
  )
  const pool = poolTo(server)
  expect(tally(await burst(pool, 300))).toEqual({ 200: 300 })
  expect(doubled(server)).toEqual([])
  expect(server.refused).toBe(299)
})

test('fewer streams are used as soon as the peer lowers its limit', async () => {
  const server = await serve(
    (arrival, server) => {
      if (arrival.order === 150) arrival.session.settings({ maxConcurrentStreams: 3 })
      later(2, () => server.answer(arrival))
    },
    { settings: { maxConcurrentStreams: 100 } },
  )
  const pool = poolTo(server, { maxSessions: 1 })
  expect(tally(await burst(pool, 600))).toEqual({ 200: 600 })
  await until(() => pool.stats().streams === 0)
  server.peakStreams = 0
  const results = burst(pool, 50)
  expect(pool.stats()).toMatchObject({ streams: 3, queued: 47 })
  expect(tally(await results)).toEqual({ 200: 50 })
  expect(server.peakStreams).toBe(3)
})

test('a certificate that is not trusted is not processed, and tried with growing distance', async () => {
  const server = await serve((arrival, server) => server.answer(arrival))
  const pool = poolTo({ url: server.url })
  const reason = 'connect DEPTH_ZERO_SELF_SIGNED_CERT'
  expect(await send(pool)).toEqual({ kind: 'unreachable', reason })
  expect(server.served.size).toBe(0)
  expect(pool.stats()).toMatchObject({ connects: 2, connectFailures: 2 })
})

test('a refused connection fails waiting requests after the second try, and recovers', async () => {
  const server = await serve((arrival, server) => server.answer(arrival))
  const port = Number(new URL(server.url).port)
  await server.close()
  const pool = poolTo(server, { connectBackoff: { firstMs: 50, capMs: 100 } })
  const reason = 'unreachable connect ECONNREFUSED'
  expect(tally(await burst(pool, 100))).toEqual({ [reason]: 100 })
  const startedAt = performance.now()
  while (performance.now() - startedAt < 300) {
    expect(tally(await burst(pool, 10))).toEqual({ [reason]: 10 })
  }
  expect(pool.stats().connects).toBeLessThan(15)
  await serve((arrival, server) => server.answer(arrival), { port })
  expect(tally(await burst(pool, 10))).toEqual({ 200: 10 })
})

test('between attempts to connect that failed nothing is tried, whoever comes', async () => {
  const pool = poolTo(
    { url: 'https://127.0.0.1:1' },
    { connectBackoff: { firstMs: 60_000, capMs: 60_000 }, queueTimeoutMs: 100 },
  )
  for (let n = 0; n < 3; n += 1) {
    expect(await send(pool)).toEqual({ kind: 'unsent', reason: 'queue-timeout' })
  }
  expect(pool.stats()).toMatchObject({ connects: 1, connectFailures: 1 })
})

test('a name that does not resolve is unreachable', async () => {
  const pool = poolTo({ url: 'https://nowhere.invalid' })
  const result = await send(pool)
  expect(result.kind).toBe('unreachable')
  expect(result).toMatchObject({ reason: expect.stringMatching(/^connect (ENOTFOUND|EAI_AGAIN)$/) })
})

test('a peer that accepts TCP and says nothing is given up after the connect timeout', async () => {
  const server = await serve((arrival, server) => server.answer(arrival))
  const proxy = await proxyTo(server)
  const pool = poolTo({ url: proxy.url, ca: server.ca }, { connectTimeoutMs: 100 })
  const freezing = setInterval(proxy.freeze, 0)
  const result = await send(pool)
  clearInterval(freezing)
  expect(result).toEqual({ kind: 'unreachable', reason: 'connect timeout' })
})

test('a request without an answer is unknown after its deadline, and its connection retired', async () => {
  let isMute = true
  const server = await serve((arrival, server) => {
    if (!isMute) server.answer(arrival)
  })
  const pool = poolTo(server, { requestTimeoutMs: 150 })
  const startedAt = performance.now()
  expect(tally(await burst(pool, 50))).toEqual({ 'unknown timeout': 50 })
  expect(performance.now() - startedAt).toBeLessThan(400)
  isMute = false
  expect(tally(await burst(pool, 50))).toEqual({ 200: 50 })
  expect(pool.stats()).toMatchObject({ timeouts: 50, connects: 2 })
})

test('one slow request does not cost the others their connection', async () => {
  const server = await serve((arrival, server) => {
    if (arrival.order !== 1) server.answer(arrival)
  })
  const pool = poolTo(server, { requestTimeoutMs: 100 })
  const slow = send(pool)
  const startedAt = performance.now()
  while (performance.now() - startedAt < 150)
    expect(tally(await burst(pool, 5))).toEqual({ 200: 5 })
  expect(await slow).toEqual({ kind: 'unknown', reason: 'timeout' })
  expect(pool.stats().connects).toBe(1)
})

test('a request that finds no stream in time is not sent', async () => {
  const server = await serve(() => {}, { settings: { maxConcurrentStreams: 0 } })
  const pool = poolTo(server, { queueTimeoutMs: 150, maxSessions: 2 })
  expect(tally(await burst(pool, 5))).toEqual({ 'unsent queue-timeout': 5 })
})

test('a refusal comes with its body and its Retry-After', async () => {
  const server = await serve((arrival, server) => {
    if (arrival.order === 1) server.answer(arrival, 400, '{"reason":"BadDeviceToken"}')
    else server.answer(arrival, 503, '', { 'retry-after': '7' })
  })
  const pool = poolTo(server)
  const body = '{"reason":"BadDeviceToken"}'
  expect(await send(pool)).toEqual({ kind: 'answered', status: 400, retryAfter: null, body })
  expect(await send(pool)).toEqual({ kind: 'answered', status: 503, retryAfter: '7', body: '' })
})

test.each(['reset', 'finished'])(
  'a refusal broken off by a connection %s is told apart',
  async (how) => {
    const server = await serve(({ stream, session, order }) => {
      stream.respond({ ':status': order === 1 ? 410 : 500 })
      stream.write('{"reason":"Unreg')
      later(10, () => (how === 'reset' ? session.socket.destroy() : session.destroy()))
    })
    const pool = poolTo(server)
    expect(await send(pool)).toEqual({ kind: 'not-processed', reason: 'answer-cut-short' })
    expect(await send(pool)).toEqual({ kind: 'answered', status: 500, retryAfter: null, body: '' })
  },
)

test('an acceptance counts although the connection ends behind it', async () => {
  const server = await serve(({ stream, session }) => {
    stream.respond({ ':status': 200 })
    later(10, () => session.destroy())
  })
  expect(tally([await send(poolTo(server))])).toEqual({ 200: 1 })
})

test('slow answers open more sessions, up to the bound, and surplus ones are closed later', async () => {
  const server = await serve((arrival, server) => later(60, () => server.answer(arrival)), {
    settings: { maxConcurrentStreams: 10 },
  })
  const pool = poolTo(server, {
    maxSessions: 4,
    growAfterMs: 5,
    surplusAfterMs: 100,
    pingBusyMs: 200,
  })
  expect(tally(await stream(pool, 600, 100))).toEqual({ 200: 600 })
  expect(pool.stats()).toMatchObject({ sessions: 4, connects: 4 })
  expect(server.peakStreams).toBe(10)
  await until(() => pool.stats().sessions === 1)
  expect(tally(await burst(pool, 10))).toEqual({ 200: 10 })
})

test('closing finishes what is under way, refuses what comes after, and ends the sessions', async () => {
  const server = await serve((arrival, server) => later(50, () => server.answer(arrival)), {
    settings: { maxConcurrentStreams: 20 },
  })
  const pool = poolTo(server, { maxSessions: 1 })
  const results = burst(pool, 60)
  await until(() => pool.stats().streams === 20)
  const closing = pool.close(5000)
  expect(await send(pool)).toEqual({ kind: 'unsent', reason: 'closed' })
  await closing
  expect(tally(await results)).toEqual({ 200: 60 })
  expect(pool.stats()).toMatchObject({ sessions: 0, streams: 0, queued: 0 })
})

test('closing answers what is left at its deadline: written unknown, waiting unsent', async () => {
  const server = await serve(() => {}, { settings: { maxConcurrentStreams: 20 } })
  const pool = poolTo(server, { maxSessions: 1 })
  const results = burst(pool, 60)
  await until(() => pool.stats().streams === 20)
  const startedAt = performance.now()
  await pool.close(100)
  expect(performance.now() - startedAt).toBeLessThan(300)
  expect(tally(await results)).toEqual({ 'unknown closed': 20, 'unsent closed': 40 })
})

test('closing a pool that never connected, or twice, ends at once', async () => {
  const pool = poolTo({ url: 'https://localhost:1' })
  await Promise.all([pool.close(5000), pool.close(5000)])
})

test('a request is never answered before the call returns', async () => {
  const pool = poolTo({ url: 'https://localhost:1' })
  await pool.close(0)
  let answered = false
  pool.request([], Buffer.alloc(0), false, () => {
    answered = true
  })
  expect(answered).toBe(false)
  await until(() => answered)
})
