import { recordOutcomes, type statusCode } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addDevice, apnsToken, get, post, type Sender, startTestSender } from './sender.ts'

let sender: Sender
beforeAll(async () => {
  sender = await startTestSender()
})
afterAll(() => sender[Symbol.asyncDispose]())

const content = { title: 'Hello', data: { order: 7 } }

async function accept(message: object): Promise<string> {
  const response = await post(sender, { content, ...message })
  expect(response.statusCode).toBe(202)
  return response.json().id
}

async function report(id: string) {
  const response = await get(sender, `/v1/messages/${id}`)
  expect(response.statusCode).toBe(200)
  return response.json()
}

const nothing = { recipients: 0, sent: 0, bounced: 0, suppressed: 0, failed: 0, expired: 0 }

test('a message reads back as it was sent', async () => {
  const fcm = { android: { ttl: '60s' } }
  const id = await accept({
    to: { person_id: 'anna' },
    fcm,
    app_id: sender.tenant.apps[1].id,
    ttl_seconds: 3600,
    priority: 'normal',
    collapse_id: 'order',
  })
  const { created_at, expires_at, ...rest } = await report(id)
  expect(rest).toEqual({
    id,
    state: 'done',
    balanced: true,
    counts: { ...nothing, pending: 0 },
    app_id: sender.tenant.apps[1].id,
    lane: 'transactional',
    priority: 'normal',
    collapse_id: 'order',
    ttl_seconds: 3600,
    to: { person_id: 'anna' },
    content,
    apns: null,
    fcm,
    cancelled_at: null,
  })
  expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(3_600_000)
})

test('a message without content, by its raw parts alone', async () => {
  const response = await post(sender, { to: { all: true }, apns: { payload: { a: 1 } } })
  const body = await report(response.json().id)
  expect(body).toMatchObject({ content: null, apns: { payload: { a: 1 } }, app_id: null })
})

test.each([
  [{ all: true }, { all: true }],
  [{ person_ids: people(10) }, { person_ids: people(10) }],
  [{ person_ids: people(11) }, { people: 11 }],
  [{ token: apnsToken(1) }, { tokens: 1 }],
  [{ tokens: [apnsToken(1), apnsToken(2)] }, { tokens: 2 }],
])('tokens and long lists are counted, not repeated: case %#', async (to, shown) => {
  const response = await get(sender, `/v1/messages/${await accept({ to })}`)
  expect(response.json().to).toEqual(shown)
  expect(response.body).not.toContain(apnsToken(1))
})

function people(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `p${number}`)
}

test('accepted until planned, sending while planned or pending, then done', async () => {
  const id = await accept({ to: { all: true } })
  const state = async () => (await report(id)).state
  const change = (counts: string, planned: boolean) =>
    sender.database.query(
      `with planned as (
         update messages set planned_at = case when $2 then now() end where id = $1
         returning message_no
       )
       update message_counts c set ${counts} from planned where c.message_no = planned.message_no`,
      [id, planned],
    )
  expect(await state()).toBe('accepted')
  await change('recipients = 2', false)
  expect(await state()).toBe('sending')
  await change('sent = 2', false)
  expect(await state()).toBe('sending')
  await change('recipients = 3', true)
  expect(await state()).toBe('sending')
  await change('suppressed = 1', true)
  expect(await report(id)).toMatchObject({
    state: 'done',
    balanced: true,
    counts: { ...nothing, recipients: 3, sent: 2, suppressed: 1, pending: 0 },
  })
  await change('failed = 1', true)
  expect(await report(id)).toMatchObject({ balanced: false, counts: { pending: -1 } })
})

test('the counts follow the outcomes', async () => {
  for (const number of [11, 12, 13]) {
    const [app] = sender.tenant.apps
    await addDevice(sender, { app, personId: 'counted', token: apnsToken(number) })
  }
  const id = await accept({ to: { person_id: 'counted' } })
  expect(await report(id)).toMatchObject({
    state: 'sending',
    balanced: true,
    counts: { recipients: 3, pending: 3 },
  })
  await settle(id, ['sent', 'bounced', 'pending'])
  expect(await report(id)).toMatchObject({
    state: 'sending',
    balanced: true,
    counts: { ...nothing, recipients: 3, sent: 1, bounced: 1, pending: 1 },
  })
})

async function settle(id: string, statuses: (keyof typeof statusCode)[]): Promise<void> {
  const { rows } = await sender.database.query<{
    messageNo: string
    chunkNo: string
    appNo: number
    deviceNo: string
  }>(
    `select message_no::text as "messageNo", chunk_no::text as "chunkNo", c.app_no as "appNo",
            unnest(device_nos)::text as "deviceNo"
     from chunks c join messages m using (message_no) where m.id = $1`,
    [id],
  )
  await recordOutcomes(
    sender.database,
    statuses.flatMap((status, index) => {
      const row = rows[index]
      if (!row) return []
      return {
        ...row,
        provider: 'apns' as const,
        deviceNo: Number(row.deviceNo),
        personNo: null,
        status,
        reason: null,
        attempts: 1,
        at: Date.now(),
        effect: { lastStatus: null, token: null, failures: null },
        epoch: 1,
        environment: null,
      }
    }),
  )
}

test.each(['01890000-0000-7000-8000-000000000000', 'x', "'; drop table messages", '%00', '1'])(
  '404 for an id that is none: %s',
  async (id) => {
    for (const path of [`/v1/messages/${id}`, `/v1/messages/${id}/deliveries`]) {
      const response = await get(sender, path)
      expect(response.statusCode).toBe(404)
      expect(response.headers['content-type']).toContain('application/problem+json')
      expect(response.json()).toMatchObject({ code: 'unknown_message' })
    }
  },
)
