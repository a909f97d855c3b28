import type { Outcome } from '@pushkeep/domain'
import { createMetrics } from '@pushkeep/runtime'
import { createApp, createWorkspace, type LeasedChunk } from '@pushkeep/store'
import { createTestDatabase } from '@pushkeep/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { createLaneBreaker } from '../src/delivery/lane-breaker.ts'
import { createPoolStatistics } from '../src/delivery/pool-statistics.ts'
import type { Senders } from '../src/delivery/senders.ts'
import { createAppNames } from '../src/metrics/app-labels.ts'
import { measurePushes } from '../src/metrics/push-meter.ts'

const program = { name: 'workers', version: '1' }
const acceptedAt = 1_795_000_000_000
const messageNo = String((BigInt(acceptedAt) << 20n) | 77n)

function chunkOf(chunk: Partial<LeasedChunk> & Pick<LeasedChunk, 'appNo'>): LeasedChunk {
  return {
    chunkNo: '1',
    messageNo,
    provider: 'apns',
    lane: 'bulk',
    size: 1,
    claimed: 1,
    isRetry: false,
    leases: 1,
    stranded: 0,
    credentialsVersion: 1,
    resumes: 0,
    claimedBefore: 0,
    now: acceptedAt,
    message: {
      id: '01a214d4-f9f5-703f-b079-3a49466e5741',
      workspaceNo: 1,
      content: {},
      personKeys: null,
      priority: 'high',
      collapseId: 'c',
      onUnknown: 'retry',
      ttlSeconds: 60,
      expiresAt: acceptedAt + 60_000,
    },
    recipients: [],
    deviceNos: [],
    personNos: [],
    ...chunk,
  }
}

const push = { token: 't', deviceNo: 1, environment: null, customer: null }

/** Senders that answer each push with the next of these outcomes. */
function senders(outcomes: Outcome[]): Senders {
  const breaker = createLaneBreaker({ firstMs: 1, capMs: 1, now: Date.now, random: Math.random })
  return {
    open: async () => ({
      breaker,
      enter: async () => () => {},
      windowSize: () => 100,
      send: (_push, done) => {
        const outcome = outcomes.shift()
        if (outcome) done(outcome)
      },
    }),
    openBreakers: async () => [],
    openRooms: async () => {},
    close: async () => {},
    totals: () => [],
    states: () => [],
  }
}

async function scene(appsMax: number, apps: number) {
  const db = await createTestDatabase()
  onTestFinished(() => db[Symbol.asyncDispose]())
  const { workspaceNo } = await createWorkspace(db.database, 'test')
  const created = []
  for (let i = 1; i <= apps; i += 1) {
    created.push(await createApp(db.database, workspaceNo, `app "${i}"`))
  }
  const metrics = createMetrics(program)
  const names = createAppNames(db.database, appsMax)
  const lines = async (name: string) =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith(name))
  return { apps: created, metrics, names, lines }
}

test('each outcome is counted by app, provider, lane and reason, and reaches the caller', async () => {
  const { apps, metrics, names, lines } = await scene(10, 1)
  const [app] = apps
  if (!app) throw new Error('no app')
  const outcomes: Outcome[] = [
    { kind: 'accepted', environment: null },
    { kind: 'accepted', environment: 'sandbox' },
    { kind: 'token-dead', reason: 'Unregistered', since: null },
    { kind: 'unavailable', reason: 'timeout', afterMs: null, mayHaveArrived: true },
    { kind: 'unavailable', reason: 'ServiceUnavailable', afterMs: null, mayHaveArrived: false },
  ]
  const seen: Outcome[] = []
  const measured = measurePushes(metrics, names, senders([...outcomes]))
  const sender = await measured.open(chunkOf({ appNo: app.appNo }), () => acceptedAt + 200)
  for (const _ of outcomes) sender.send(push, (outcome) => seen.push(outcome))
  expect(seen).toEqual(outcomes)
  const labels = `app="${app.id}",app_name="app \\"1\\"",provider="apns",lane="bulk"`
  expect(await lines('pushkeep_pushes_total')).toEqual([
    `pushkeep_pushes_total{${labels},outcome="accepted",reason=""} 2`,
    `pushkeep_pushes_total{${labels},outcome="token-dead",reason="Unregistered"} 1`,
    `pushkeep_pushes_total{${labels},outcome="unknown",reason="timeout"} 1`,
    `pushkeep_pushes_total{${labels},outcome="unavailable",reason="ServiceUnavailable"} 1`,
  ])
  expect(await lines('pushkeep_acceptance_to_outcome_seconds_sum')).toEqual([
    `pushkeep_acceptance_to_outcome_seconds_sum{${labels}} 1`,
  ])
  expect(await lines('pushkeep_push_duration_seconds_count')).toContain(
    `pushkeep_push_duration_seconds_count{${labels},outcome="accepted"} 2`,
  )
})

test('a further try says nothing of the time since acceptance', async () => {
  const { apps, metrics, names, lines } = await scene(10, 1)
  const measured = measurePushes(metrics, names, senders([{ kind: 'accepted', environment: null }]))
  const chunk = chunkOf({ appNo: apps[0]?.appNo ?? 0, isRetry: true })
  const sender = await measured.open(chunk, () => acceptedAt + 3_600_000)
  sender.send(push, () => {})
  const [count] = await lines('pushkeep_acceptance_to_outcome_seconds_count')
  expect(count).toMatch(/ 0$/)
})

test('apps and reasons beyond their bound share one series', async () => {
  const { apps, metrics, names, lines } = await scene(2, 4)
  const outcomes = Array.from({ length: 700 }, (_, n): Outcome => {
    return { kind: 'message-refused', reason: `HTTP 400 New${n % 350}` }
  })
  const measured = measurePushes(metrics, names, senders(outcomes))
  for (let n = 0; n < 700; n += 1) {
    const sender = await measured.open(chunkOf({ appNo: apps[n % 4]?.appNo ?? 0 }), Date.now)
    sender.send(push, () => {})
  }
  const series = await lines('pushkeep_pushes_total')
  expect(new Set(series.map((line) => /app="([^"]*)"/.exec(line)?.[1])).size).toBe(3)
  expect(series.some((line) => line.includes('app="other",app_name="other"'))).toBe(true)
  expect(new Set(series.map((line) => /reason="([^"]*)"/.exec(line)?.[1])).size).toBe(151)
  const total = series.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  expect(total).toBe(700)
})

test('counts of a provider that is closed are kept, also while it closes', async () => {
  const statistics = createPoolStatistics()
  const stats = {
    sessions: 1,
    streams: 0,
    queued: 0,
    limit: 0,
    connects: 3,
    connectFailures: 0,
    goaways: 2,
  }
  const all = { ...stats, replaced: 0, resent: 5, timeouts: 0 }
  let finish = () => {}
  const entry = {
    appNo: 1,
    provider: 'apns' as const,
    breaker: createLaneBreaker({ firstMs: 1, capMs: 1, now: Date.now, random: Math.random }),
    pools: () => ({ production: all }),
    accessToken: () => null,
    close: () => new Promise<void>((resolve) => (finish = resolve)),
  }
  const production = () => statistics.totals().find(({ pool }) => pool === 'production')?.stats
  expect(production()?.goaways).toBe(0)
  statistics.add(entry)
  expect(production()).toEqual(all)
  expect(statistics.states()).toEqual([
    { appNo: 1, provider: 'apns', isHeldBack: false, messagesHeldBack: 0, accessToken: null },
  ])
  const closed = statistics.close(entry)
  expect(production()?.goaways).toBe(2)
  all.goaways = 3
  finish()
  await closed
  expect(production()?.goaways).toBe(3)
  expect(statistics.states()).toEqual([])
  const unreachable = { kind: 'unavailable', reason: 'connect', afterMs: null } as const
  entry.breaker.answered('m', 1, { ...unreachable, mayHaveArrived: false, isUnreachable: true })
  statistics.add(entry)
  expect(statistics.states()[0]?.isHeldBack).toBe(true)
  expect(production()?.goaways).toBe(6)
})
