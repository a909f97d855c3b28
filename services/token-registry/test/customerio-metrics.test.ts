import { randomUUID } from 'node:crypto'
import { deliveryIdOf, NewMessage } from '@pushkeep/domain'
import { acceptMessage } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Customerio, createCustomerio, taken } from './customerio.ts'
import { randomToken } from './registry.ts'

let cio: Customerio

beforeAll(async () => {
  cio = await createCustomerio()
})

afterAll(() => cio[Symbol.asyncDispose]())

/** A push that was sent to a phone, as the phone knows it. */
async function push(): Promise<{ id: string; deliveryId: string; token: string }> {
  const { database, workspaceNo } = cio
  const token = randomToken()
  await cio.call('PUT', `/v1/devices/${token}`, { platform: 'ios', person_id: 'ana' })
  const message = NewMessage.parse({ to: { token }, content: { title: 'x' } })
  const accepted = await acceptMessage(database, {
    workspaceNo,
    appNo: null,
    message,
    lane: 'transactional',
    planNow: true,
    idempotency: null,
  })
  if (accepted.kind !== 'accepted') throw new Error(accepted.kind)
  await database.query(
    `insert into deliveries (message_no, device_no, at, status, attempts)
     select message_no, unnest(device_nos), now(), 1, 1
     from chunks join messages using (message_no) where id = $1`,
    [accepted.id],
  )
  return { id: accepted.id, deliveryId: deliveryIdOf(accepted.id), token }
}

async function counts(id: string) {
  const { rows } = await cio.database.query(
    `select delivered::int, opened::int, clicked::int, converted::int
     from receipt_counts join messages using (message_no) where id = $1`,
    [id],
  )
  return rows[0] ?? null
}

type Report = (deliveryId: string, token: string, event: string) => ReturnType<Customerio['track']>

const ways: [string, Report][] = [
  [
    'POST /api/v1/metrics',
    (delivery_id, recipient, metric) =>
      cio.track('POST', '/api/v1/metrics', { delivery_id, recipient, metric, timestamp: 1 }),
  ],
  ...['/api/v1/push/events', '/push/events'].map((path): [string, Report] => [
    `POST ${path}`,
    (delivery_id, device_id, event) =>
      cio.track('POST', path, { delivery_id, device_id, event, timestamp: 1_700_000_000 }),
  ]),
  [
    'v2 delivery event',
    (id, device_token, name) =>
      cio.track('POST', '/api/v2/entity', {
        type: 'delivery',
        action: 'event',
        identifiers: { id },
        name,
        attributes: { device_token },
      }),
  ],
  [
    'Report Delivery Event',
    (deliveryId, recipient, metric) =>
      cio.batch(
        [
          {
            type: 'track',
            event: 'Report Delivery Event',
            anonymousId: deliveryId,
            properties: { deliveryId, recipient, metric },
            timestamp: new Date().toISOString(),
          },
        ],
        { headers: { 'x-strict-mode': '1' } },
      ),
  ],
]

test.each(ways)('%s: what a phone saw of a push counts once', async (_name, report) => {
  const { id, deliveryId, token } = await push()
  for (const event of ['opened', 'opened', 'delivered', 'converted']) {
    expect(await report(deliveryId, token, event)).toMatchObject(taken)
  }
  expect(await counts(id)).toEqual({ delivered: 1, opened: 1, clicked: 0, converted: 1 })
  expect(await report(id, token, 'clicked')).toMatchObject(taken)
  expect(await counts(id)).toMatchObject({ clicked: 1 })
  expect(await cio.eventNames('ana')).toEqual([])
})

test.each(ways)(
  '%s: of a push that went to nobody nothing counts, and nothing is told',
  async (_name, report) => {
    const { id, deliveryId } = await push()
    expect(await report(deliveryId, randomToken(), 'opened')).toMatchObject(taken)
    expect(await report(deliveryIdOf(randomUUID()), randomToken(), 'opened')).toMatchObject(taken)
    expect(await counts(id)).toBeNull()
  },
)

test.each(ways)('%s: what is no metric of a push is refused', async (_name, report) => {
  const { deliveryId, token } = await push()
  for (const answer of [
    await report(deliveryId, token, 'bounced'),
    await report('dgTlowoCAAA=', token, 'opened'),
    await report('', token, 'opened'),
    await report(deliveryId, '', 'opened'),
  ]) {
    expect(answer.status).toBe(400)
  }
})
