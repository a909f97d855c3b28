import { createTestDatabase } from '@pushkeep/testkit'
import { Histogram } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import {
  boundedLabel,
  buildServer,
  createLogger,
  createMetrics,
  FastCounter,
  FastHistogram,
  observeCoalescers,
  observeDatabase,
} from '../src/index.ts'

const program = { name: 'test', version: '1' }
const silent = () => createLogger({ name: 'test', level: 'silent' })

/** The samples of one metric. */
async function samples(metrics: ReturnType<typeof createMetrics>, name: string) {
  const lines = (await metrics.text()).split('\n')
  return lines.filter((line) => line.startsWith(name))
}

test('the fast histogram says the same as prom-client’s', async () => {
  const options = { help: 'h', labelNames: ['a', 'b'] as const, buckets: [0.1, 1, 10] }
  const ours = createMetrics(program)
  const theirs = createMetrics(program)
  const fast = new FastHistogram(ours, { ...options, name: 'm' })
  const plain = new Histogram({ ...options, name: 'm', registers: [theirs.registry] })
  for (let i = 0; i < 200; i += 1) {
    const labels = { a: `x${i % 3}`, b: 'say "hi"\\\n' }
    const value = [0.1, 0.05, 1, 3, 10, 10.5, 1e9, 0][i % 8] ?? 0
    fast.series(labels).observe(value)
    plain.observe(labels, value)
  }
  // Theirs has `le` first; everything else is the same.
  const sorted = (lines: string[]) =>
    lines.map((line) => line.replace(/\{le="([^"]*)",(.*)\}/, '{$2,le="$1"}')).sort()
  expect(sorted(await samples(ours, 'm_'))).toEqual(sorted(await samples(theirs, 'm_')))
})

test('a counter begins with 0, and its name is there before anything was counted', async () => {
  const metrics = createMetrics(program)
  const counter = new FastCounter(metrics, { name: 'c_total', help: 'h', labelNames: ['a'] })
  expect(await metrics.text()).toContain('# HELP c_total h\n# TYPE c_total counter\n')
  const series = counter.series({ a: 'x' })
  expect(await samples(metrics, 'c_total')).toEqual(['c_total{a="x"} 0'])
  series.count += 2
  expect(counter.series({ a: 'x' })).toBe(series)
  expect(await samples(metrics, 'c_total')).toEqual(['c_total{a="x"} 2'])
})

test('a label has so many values and no more', () => {
  const bounded = boundedLabel(2)
  expect(['a', 'b', 'a', 'c', 'b', 'd'].map(bounded)).toEqual([
    'a',
    'b',
    'a',
    'other',
    'b',
    'other',
  ])
})

test('requests are measured by the pattern of their route, never by their path', async () => {
  const metrics = createMetrics(program)
  const logger = silent()
  const app = buildServer({ logger, title: 't', description: 'd', version: '1', metrics })
  onTestFinished(() => app.close())
  app.register((routes, _options, done) => {
    routes.get(
      '/things/:id',
      { config: { access: 'open' }, schema: { params: z.object({ id: z.string() }) } },
      () => ({ ok: true }),
    )
    done()
  })
  const token = 'ab12'.repeat(16)
  await app.inject(`/things/${token}`)
  await app.inject(`/things/${token}?mail=a@b.c`)
  await app.inject(`/nothing/${token}`)
  await app.inject('/health/live')
  const name = 'pushkeep_http_request_duration_seconds_count'
  expect(await samples(metrics, name)).toEqual([
    `${name}{method="GET",route="/things/:id",status="200"} 2`,
    `${name}{method="GET",route="unknown",status="404"} 1`,
    `${name}{method="GET",route="/health/live",status="200"} 1`,
  ])
  expect(await metrics.text()).not.toMatch(/ab12|a@b/)
})

test('a pool tells its connections, and who waits for one', async () => {
  await using db = await createTestDatabase(2)
  const metrics = createMetrics(program)
  observeDatabase(metrics, db.database)
  const sleeping = [1, 2, 3, 4, 5].map(() => db.database.query('select pg_sleep(0.5)'))
  await expect
    .poll(() => samples(metrics, 'pushkeep_database'))
    .toEqual([
      'pushkeep_database_connections{state="idle"} 0',
      'pushkeep_database_connections{state="busy"} 2',
      'pushkeep_database_connections_max 2',
      'pushkeep_database_waiting 3',
    ])
  await Promise.all(sleeping)
})

test('a coalescer tells how long calls waited and how many shared a statement', async () => {
  const metrics = createMetrics(program)
  const onRun = observeCoalescers(metrics)('keys')
  onRun({ size: 40, waitedMs: 20, ms: 300 })
  const text = await metrics.text()
  expect(text).toContain('pushkeep_coalescer_batch_size_sum{coalescer="keys"} 40\n')
  expect(text).toContain('pushkeep_coalescer_wait_seconds_sum{coalescer="keys"} 0.02\n')
  expect(text).toContain('pushkeep_coalescer_run_seconds_sum{coalescer="keys"} 0.3\n')
})
