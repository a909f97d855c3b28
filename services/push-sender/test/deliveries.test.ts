import type { DeliveryStatus } from '@pushkeep/domain'
import { createPartitions, createReceiptTaker, statusCode } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readCursor, writeCursor } from '../src/cursor.ts'
import { addDevice, apnsToken, get, post, type Sender, startTestSender } from './sender.ts'

interface Delivery {
  message_id: string
  person_id: string | null
  device: string | null
  status: DeliveryStatus
}

let sender: Sender
beforeAll(async () => {
  sender = await startTestSender()
  await createPartitions(sender.database, Date.now())
})
afterAll(() => sender[Symbol.asyncDispose]())

async function newMessage(): Promise<string> {
  const response = await post(sender, { to: { person_id: 'nobody' }, content: { title: 'x' } })
  return response.json().id
}

async function deliver(
  messageId: string,
  device: { deviceNo: string | number; personNo: string | null },
  status: DeliveryStatus = 'sent',
  reason: string | null = null,
): Promise<void> {
  await sender.database.query(
    `insert into deliveries (message_no, device_no, person_no, at, status, attempts, reason)
     select message_no, $2, $3, '2026-01-02T03:04:05.678Z', $4, 2, $5 from messages where id = $1`,
    [messageId, device.deviceNo, device.personNo, statusCode[status], reason],
  )
}

/** All pages of a list, with their sizes. */
async function walk(url: string, limit: number): Promise<{ all: Delivery[]; sizes: number[] }> {
  const all: Delivery[] = []
  const sizes: number[] = []
  let cursor: string | null = null
  do {
    const next = cursor === null ? '' : `&cursor=${cursor}`
    const response = await get(sender, `${url}?limit=${limit}${next}`)
    expect(response.statusCode).toBe(200)
    const page: { deliveries: Delivery[]; next_cursor: string | null } = response.json()
    all.push(...page.deliveries)
    sizes.push(page.deliveries.length)
    cursor = page.next_cursor
  } while (cursor !== null)
  return { all, sizes }
}

test('a delivery tells message, person, device, outcome and time', async () => {
  const [app] = sender.tenant.apps
  const token = 'fcm-token:APA91bXYZ'
  const device = await addDevice(sender, { app, personId: 'anna', token, platform: 'android' })
  const id = await newMessage()
  await deliver(id, device, 'bounced', 'UNREGISTERED')
  const expected = {
    deliveries: [
      {
        message_id: id,
        person_id: 'anna',
        device: token,
        platform: 'android',
        status: 'bounced',
        reason: 'UNREGISTERED',
        attempts: 2,
        at: '2026-01-02T03:04:05.678Z',
        receipts: { delivered: null, opened: null, clicked: null, converted: null },
      },
    ],
    next_cursor: null,
  }
  for (const url of [`/v1/messages/${id}/deliveries`, '/v1/people/anna/deliveries']) {
    expect((await get(sender, url)).json()).toEqual(expected)
  }
})

test('a delivery tells when its phone saw the push; the message on how many it was seen', async () => {
  const [app] = sender.tenant.apps
  const token = apnsToken(77)
  const device = await addDevice(sender, { app, personId: 'reader', token })
  const id = await newMessage()
  await deliver(id, device)
  await deliver(id, { deviceNo: 12_345, personNo: null })
  const take = createReceiptTaker(sender.database)
  const { workspaceNo } = sender.tenant
  await take({ workspaceNo, appNo: null, messageId: id, token, event: 'opened', at: null })
  const { deliveries } = (await get(sender, `/v1/messages/${id}/deliveries`)).json()
  const seen = deliveries.find((delivery: Delivery) => delivery.device === token).receipts
  expect(seen).toEqual({
    delivered: expect.any(String),
    opened: seen.delivered,
    clicked: null,
    converted: null,
  })
  expect((await get(sender, '/v1/people/reader/deliveries')).json().deliveries[0].receipts).toEqual(
    seen,
  )
  const message = (await get(sender, `/v1/messages/${id}`)).json()
  expect(message.receipts).toEqual({ delivered: 1, opened: 1, clicked: 0, converted: 0 })
})

test('a deleted device leaves its delivery without a token, an unknown one without more', async () => {
  const [app] = sender.tenant.apps
  const device = await addDevice(sender, { app, personId: 'gone', token: apnsToken(1) })
  const id = await newMessage()
  await deliver(id, device)
  await deliver(id, { deviceNo: 987_654, personNo: null }, 'failed')
  await sender.database.query('update devices set token = null where device_no = $1', [
    device.deviceNo,
  ])
  expect((await get(sender, `/v1/messages/${id}/deliveries`)).json().deliveries).toMatchObject([
    { person_id: 'gone', device: null, platform: 'ios', status: 'sent' },
    { person_id: null, device: null, platform: null, status: 'failed' },
  ])
})

test('pages of a message neither skip nor repeat, also while deliveries are added', async () => {
  const id = await newMessage()
  const other = await newMessage()
  for (let deviceNo = 1; deviceNo <= 57; deviceNo += 1) {
    await deliver(id, { deviceNo, personNo: null }, deviceNo % 3 === 0 ? 'bounced' : 'sent')
    await deliver(other, { deviceNo, personNo: null })
  }
  const url = `/v1/messages/${id}/deliveries`
  const { all, sizes } = await walk(url, 10)
  expect(sizes).toEqual([10, 10, 10, 10, 10, 7])
  expect(all.every((delivery) => delivery.message_id === id)).toBe(true)
  expect(all.filter(({ status }) => status === 'bounced')).toHaveLength(19)
  expect((await walk(url, 57)).sizes).toEqual([57])
  expect((await walk(url, 19)).sizes).toEqual([19, 19, 19])

  const first = (await get(sender, `${url}?limit=30`)).json()
  await deliver(id, { deviceNo: 1000, personNo: null }, 'expired')
  const rest = (await get(sender, `${url}?limit=30&cursor=${first.next_cursor}`)).json()
  expect(rest.deliveries).toHaveLength(28)
  expect(rest.deliveries.at(-1)).toMatchObject({ status: 'expired' })
})

test('deliveries of one status, by message and by person', async () => {
  const [app] = sender.tenant.apps
  const { personNo } = await addDevice(sender, { app, personId: 'mixed', token: apnsToken(2) })
  const id = await newMessage()
  const statuses: DeliveryStatus[] = ['sent', 'failed', 'pending', 'suppressed', 'expired']
  for (const [index, status] of statuses.entries()) {
    await deliver(id, { deviceNo: 2000 + index, personNo }, status)
  }
  for (const url of [`/v1/messages/${id}/deliveries`, '/v1/people/mixed/deliveries']) {
    for (const status of statuses) {
      const { deliveries } = (await get(sender, `${url}?status=${status}`)).json()
      expect(deliveries.map((delivery: Delivery) => delivery.status)).toEqual([status])
    }
    expect((await get(sender, `${url}?status=bounced`)).json().deliveries).toEqual([])
  }
})

test('pages of a person come newest message first and neither skip nor repeat', async () => {
  const [app] = sender.tenant.apps
  const device = await addDevice(sender, { app, personId: 'often', token: apnsToken(3) })
  const ids: string[] = []
  for (let count = 0; count < 12; count += 1) {
    const id = await newMessage()
    ids.push(id)
    await deliver(id, device)
    await deliver(id, { deviceNo: 3000, personNo: device.personNo }, 'failed')
    await deliver(id, { deviceNo: 3001, personNo: null })
  }
  const { all, sizes } = await walk('/v1/people/often/deliveries', 7)
  expect(sizes).toEqual([7, 7, 7, 3])
  expect(all.map((delivery) => delivery.message_id)).toEqual(
    ids.reverse().flatMap((id) => [id, id]),
  )
  expect(new Set(all.map(({ message_id, status }) => message_id + status)).size).toBe(24)
})

test('a person whose id needs escaping', async () => {
  const [app] = sender.tenant.apps
  const personId = 'a/b?c#d %é'
  const device = await addDevice(sender, { app, personId, token: apnsToken(4) })
  await deliver(await newMessage(), device)
  const response = await get(sender, `/v1/people/${encodeURIComponent(personId)}/deliveries`)
  expect(response.json().deliveries).toMatchObject([{ person_id: personId }])
})

test('404 for an unknown person, 422 for an id that nobody can have', async () => {
  const unknown = await get(sender, '/v1/people/nobody/deliveries')
  expect(unknown.statusCode).toBe(404)
  expect(unknown.json()).toMatchObject({ code: 'unknown_person' })
  for (const id of ['a%00', 'a'.repeat(151)]) {
    expect((await get(sender, `/v1/people/${id}/deliveries`)).statusCode).toBe(422)
  }
})

test.each([
  ['limit=0', 'limit'],
  ['limit=501', 'limit'],
  ['limit=-1', 'limit'],
  ['limit=1.5', 'limit'],
  ['limit=ten', 'limit'],
  ['limit=', 'limit'],
  ['limit=1&limit=2', 'limit'],
  ['status=delivered', 'status'],
  ['status=', 'status'],
  ['cursor=', 'cursor'],
  ['cursor=AAAA', 'cursor'],
  ['cursor=%00', 'cursor'],
  [`cursor=${'a'.repeat(3000)}`, 'cursor'],
  ['page=2', 'page'],
])('422 for ?%.20s', async (query, path) => {
  const id = await newMessage()
  for (const url of [`/v1/messages/${id}/deliveries`, '/v1/people/often/deliveries']) {
    const response = await get(sender, `${url}?${query}`)
    expect(response.statusCode).toBe(422)
    expect(response.json().errors).toMatchObject([{ path }])
  }
})

test('limits at their ends', async () => {
  const id = await newMessage()
  for (const limit of ['1', '500']) {
    const response = await get(sender, `/v1/messages/${id}/deliveries?limit=${limit}`)
    expect(response.json()).toEqual({ deliveries: [], next_cursor: null })
  }
})

test('a cursor that was changed, or is of another list, is refused', async () => {
  const [id, other] = [await newMessage(), await newMessage()]
  for (const deviceNo of [1, 2, 3]) {
    await deliver(id, { deviceNo, personNo: null })
    await deliver(other, { deviceNo, personNo: null })
  }
  const url = `/v1/messages/${id}/deliveries`
  const cursor: string = (await get(sender, `${url}?limit=1`)).json().next_cursor
  expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/)
  const status = async (path: string) => (await get(sender, path)).statusCode
  expect(await status(`${url}?cursor=${cursor}`)).toBe(200)
  for (let index = 0; index < cursor.length; index += 1) {
    const letter = cursor[index] === 'A' ? 'B' : 'A'
    const changed = cursor.slice(0, index) + letter + cursor.slice(index + 1)
    expect(await status(`${url}?cursor=${changed}`)).toBe(422)
  }
  expect(await status(`${url}?cursor=${cursor}A`)).toBe(422)
  expect(await status(`${url}?cursor=${cursor.slice(0, -1)}`)).toBe(422)
  expect(await status(`${url}?cursor=${cursor}&status=sent`)).toBe(422)
  expect(await status(`/v1/messages/${other}/deliveries?cursor=${cursor}`)).toBe(422)
  expect(await status(`/v1/people/often/deliveries?cursor=${cursor}`)).toBe(422)
})

test('a cursor holds a place and nothing that PostgreSQL could choke on', () => {
  const list = ['message', 1, 'id', null]
  for (const place of ['0', '42', '9223372036854775807', '12.34']) {
    expect(readCursor(list, writeCursor(list, place))).toBe(place)
  }
  for (const place of ['', '-1', '9223372036854775808', '1.2.3', '1;', '1.99999999999999999999']) {
    expect(readCursor(list, writeCursor(list, place))).toBeNull()
  }
})
