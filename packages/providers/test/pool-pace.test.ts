import { constants } from 'node:http2'
import { expect, test } from 'vitest'
import { burst, doubled, poolTo, send, serve, stream, tally, until } from './pool-harness.ts'

const later = (ms: number, what: () => void) => setTimeout(what, ms)

test('no more requests are in flight than the pace allows; urgent ones go before those that wait', async () => {
  const held: (() => void)[] = []
  const order: string[] = []
  const server = await serve((arrival, server) => {
    order.push(String(arrival.headers['apns-id']))
    held.push(() => server.answer(arrival))
  })
  const pool = poolTo(server, { inFlightMin: 4 })
  const results = burst(pool, 10)
  await until(() => order.length === 4)
  expect(pool.stats()).toMatchObject({ streams: 4, queued: 6, limit: 4 })
  expect(pool.backlog).toBe(6)
  const urgent = send(pool, 'urgent', true)
  await until(() => order.length === 5)
  expect(order.at(-1)).toBe('urgent')
  expect(pool.stats()).toMatchObject({ streams: 5, queued: 6 })
  const release = setInterval(() => held.shift()?.(), 1)
  expect(tally([...(await results), await urgent])).toEqual({ 200: 11 })
  clearInterval(release)
})

test('an urgent request that finds no stream is the first to get one', async () => {
  const held: (() => void)[] = []
  const order: string[] = []
  const server = await serve(
    (arrival, server) => {
      order.push(String(arrival.headers['apns-id']))
      held.push(() => server.answer(arrival))
    },
    { settings: { maxConcurrentStreams: 2 } },
  )
  const pool = poolTo(server, { maxSessions: 1 })
  const results = burst(pool, 6)
  await until(() => order.length === 2)
  const urgent = send(pool, 'urgent', true)
  held.shift()?.()
  await until(() => order.length === 3)
  expect(order[2]).toBe('urgent')
  const release = setInterval(() => held.shift()?.(), 1)
  expect(tally([...(await results), await urgent])).toEqual({ 200: 7 })
  clearInterval(release)
})

test('slow answers put more in flight, and open the sessions that carry it', async () => {
  const server = await serve((arrival, server) => later(250, () => server.answer(arrival)), {
    settings: { maxConcurrentStreams: 10 },
  })
  const pool = poolTo(server, { inFlightMin: 8, growAfterMs: 5, maxSessions: 6 })
  expect(tally(await stream(pool, 150, 60))).toEqual({ 200: 150 })
  expect(pool.stats().connects).toBeGreaterThan(1)
})

test('a pace below what its sessions carry opens no more of them', async () => {
  const server = await serve((arrival, server) => later(50, () => server.answer(arrival)))
  const pool = poolTo(server, { inFlightMin: 2, growAfterMs: 5 })
  expect(tally(await stream(pool, 40, 40))).toEqual({ 200: 40 })
  expect(pool.stats().connects).toBe(1)
})

test('what comes back unprocessed after its time is not sent again unseen', async () => {
  const server = await serve((arrival, server) => {
    const { session, order } = arrival
    if (session !== server.sessions[0]) server.answer(arrival)
    else if (order === 5) later(150, () => session.goaway(constants.NGHTTP2_NO_ERROR, 3))
    if (session === server.sessions[0] && order <= 2) later(200, () => server.answer(arrival))
  })
  const pool = poolTo(server, { queueTimeoutMs: 100 })
  expect(tally(await burst(pool, 5))).toEqual({ 200: 2, 'unsent goaway': 3 })
  expect(doubled(server)).toEqual([])
  expect(pool.stats().resent).toBe(0)
})
