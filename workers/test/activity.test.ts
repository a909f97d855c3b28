import { setTimeout as sleep } from 'node:timers/promises'
import type { MessageSums, OpenBreaker, ProviderSums } from '@pushkeep/store'
import { expect, test } from 'vitest'
import { startReporter } from '../src/activity/reporter.ts'
import { createSums } from '../src/activity/sums.ts'

const apns = { appNo: 1, provider: 'apns' } as const
const fcm = { appNo: 1, provider: 'fcm' } as const

test('answers and deliveries are summed by app, provider and minute', () => {
  let now = 60_000 * 100
  const sums = createSums(() => now)
  sums.answered(apns, { kind: 'accepted', environment: null }, 7)
  sums.settled(apns, null, 'sent', null)
  sums.answered(
    apns,
    { kind: 'unavailable', reason: 'HTTP 503', afterMs: null, mayHaveArrived: false },
    700,
  )
  sums.answered(fcm, { kind: 'token-dead', reason: 'UNREGISTERED', since: null }, 90_000)
  sums.settled(fcm, null, 'bounced', 'UNREGISTERED')
  now += 60_000
  sums.settled(apns, null, 'sent', null)
  const { providers, messages } = sums.take()
  expect(messages).toEqual([])
  expect(providers).toMatchObject([
    {
      ...apns,
      minute: 6_000_000,
      settled: { sent: 1, bounced: 0 },
      calls: { accepted: 1, unavailable: 1 },
      latency: [0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
      trouble: 'HTTP 503',
    },
    { ...fcm, settled: { bounced: 1 }, calls: { 'token-dead': 1 }, trouble: null },
    { ...apns, minute: 6_060_000, settled: { sent: 1 }, calls: { accepted: 0 } },
  ])
  expect(providers[1]?.latency.at(-1)).toBe(1)
  expect(sums.take()).toEqual({ providers: [], messages: [] })
})

test('a broadcast is summed by ten seconds and by reason, and the number of reasons is bounded', () => {
  let now = 1000
  const sums = createSums(() => now)
  for (let n = 0; n < 100; n += 1) sums.settled(apns, '7', 'failed', `reason ${n}`)
  sums.settled(apns, '7', 'sent', null)
  now = 12_000
  sums.settled(apns, '7', 'sent', null)
  sums.settled(apns, '8', 'suppressed', 'push_disabled')
  const { messages } = sums.take()
  expect(messages.map(({ messageNo, at, settled }) => [messageNo, at, settled.sent])).toEqual([
    ['7', 0, 1],
    ['7', 10_000, 1],
    ['8', 10_000, 0],
  ])
  const reasons = messages[0]?.reasons ?? []
  expect(reasons.length).toBeLessThan(60)
  expect(reasons.reduce((sum, { deliveries }) => sum + deliveries, 0)).toBe(100)
  expect(messages[2]?.reasons).toEqual([
    { status: 'suppressed', reason: 'push_disabled', deliveries: 1 },
  ])
})

test('what could not be told is told with the next, each row once', async () => {
  const sums = createSums(() => 0)
  const told: { providers: readonly ProviderSums[]; messages: readonly MessageSums[] }[] = []
  const errors: unknown[] = []
  let ended = ''
  let isAway = true
  const reporter = startReporter({
    worker: 'w',
    sums,
    openBreakers: async () => [] as OpenBreaker[],
    add: async (_report, providers, messages) => {
      if (isAway) throw new Error('away')
      told.push({ providers, messages })
    },
    end: async (worker) => {
      ended = worker
    },
    intervalMs: 5,
    now: () => 0,
    onError: (error) => errors.push(error),
  })
  sums.settled(apns, '7', 'failed', 'HTTP 400')
  while (errors.length < 2) await sleep(2)
  sums.settled(apns, '7', 'failed', 'HTTP 400')
  sums.answered(apns, { kind: 'throttled', reason: 'busy', scope: 'token', afterMs: null }, 3)
  while (errors.length < 4) await sleep(2)
  isAway = false
  await reporter.stop()
  expect(ended).toBe('w')
  const { providers, messages } = told.find((batch) => batch.providers.length > 0) ?? told[0] ?? {}
  expect(providers).toMatchObject([
    { settled: { failed: 2 }, calls: { throttled: 1 }, trouble: 'busy' },
  ])
  expect(messages).toMatchObject([
    { settled: { failed: 2 }, reasons: [{ reason: 'HTTP 400', deliveries: 2 }] },
  ])
  expect(told.flatMap((batch) => batch.providers)).toHaveLength(1)
})
