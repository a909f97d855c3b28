import { openQueues, queueNames } from '@pushkeep/queues'
import { createMetrics } from '@pushkeep/runtime'
import { createApp, createWorkspace, pauseProvider, tripGuard } from '@pushkeep/store'
import { createTestDatabase } from '@pushkeep/testkit'
import { expect, onTestFinished, test } from 'vitest'
import { startSurvey } from '../src/metrics/survey.ts'

const soon = { timeout: 15_000, interval: 20 }

async function scene() {
  const db = await createTestDatabase()
  const metrics = createMetrics({ name: 'workers', version: '1' })
  const queues = openQueues({ backend: { kind: 'postgres', url: db.url }, onError: () => {} })
  const opened = queueNames.map((name) => queues.queue(name))
  const state = { isLeading: true, errors: [] as unknown[] }
  const survey = startSurvey({
    sql: db.database,
    queues: opened,
    metrics,
    isLeading: () => state.isLeading,
    intervalMs: 20,
    lanesMax: 10,
    now: Date.now,
    onError: (error) => state.errors.push(error),
  })
  onTestFinished(async () => {
    await survey.stop()
    for (const queue of opened) await queue.close()
    await queues.close()
    await db[Symbol.asyncDispose]()
  })
  const value = async (sample: string) => {
    const line = (await metrics.text()).split('\n').find((one) => one.startsWith(`${sample} `))
    return line === undefined ? null : Number(line.split(' ').at(-1))
  }
  return { db, metrics, queue: opened[0], state, value }
}

test('the leader tells queues, outbox, lanes and books, and forgets them when it no longer leads', async () => {
  const { db, queue, state, value } = await scene()
  const { database } = db
  const { workspaceNo } = await createWorkspace(database, 'test')
  const { appNo, id } = await createApp(database, workspaceNo, 'shop')
  for (const provider of ['apns', 'fcm']) {
    await database.query(
      `insert into app_providers (app_no, provider, settings, secret) values ($1, $2, '{}', '')`,
      [appNo, provider],
    )
  }
  await pauseProvider(database, appNo, 'apns', 'BadTopic')
  await tripGuard(database, appNo, 'fcm', 'mass bounce')
  await database.query(
    `insert into outbox (queue, ref, due_at) values ('plan', 1, now() - interval '90 seconds')`,
  )
  await queue?.addAll([{ ref: '1', ring: 0 }])

  const lane = (provider: string, cause: string) =>
    `pushkeep_lane_paused{app="${id}",app_name="shop",provider="${provider}",cause="${cause}"}`
  await expect.poll(() => value(lane('apns', 'credentials')), soon).toBe(1)
  const guard = (provider: string) =>
    `pushkeep_mass_bounce_guard{app="${id}",app_name="shop",provider="${provider}"}`
  expect(await value(guard('apns'))).toBe(0)
  await expect.poll(() => value(guard('fcm')), soon).toBe(1)
  expect(await value(lane('fcm', 'credentials'))).toBe(0)
  await expect.poll(() => value('pushkeep_outbox_lag_seconds'), soon).toBeGreaterThanOrEqual(90)
  const waiting = 'bullmq_job_count{queue="plan", state="waiting"}'
  const age = 'pushkeep_queue_oldest_job_age_seconds{queue="plan"}'
  await expect.poll(() => value(waiting), soon).toBe(1)
  await expect.poll(() => value(age), soon).toBeGreaterThan(0)
  expect(await value('pushkeep_queues_up')).toBe(1)
  expect(await value('pushkeep_unbalanced_messages')).toBe(0)

  state.isLeading = false
  await expect.poll(() => value('pushkeep_queues_up'), soon).toBeNull()
  expect(await value('pushkeep_outbox_lag_seconds')).toBeNull()
  expect(await value('pushkeep_unbalanced_messages')).toBeNull()
  expect(await value(waiting)).toBeNull()
  expect(state.errors).toEqual([])
})

test('a message that does not add up shows for a day', async () => {
  const { db, value } = await scene()
  await expect.poll(() => value('pushkeep_unbalanced_messages'), soon).toBe(0)
  await db.database.query(
    `insert into unbalanced_messages (message_no, found_at, counts, deliveries, recipients)
     values (1, now(), '{1,0,0,0,0}', '{0,0,0,0,0}', 1),
            (2, now() - interval '2 days', '{1,0,0,0,0}', '{0,0,0,0,0}', 1)`,
  )
  await expect.poll(() => value('pushkeep_unbalanced_messages'), soon).toBe(1)
})
