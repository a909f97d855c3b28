import { afterAll, beforeAll, expect, test } from 'vitest'
import { apnsToken, get, post, type Sender, startTestSender } from './sender.ts'

let sender: Sender
beforeAll(async () => {
  sender = await startTestSender()
})
afterAll(() => sender[Symbol.asyncDispose]())

const content = { title: 'Hello' }

async function accept(change: object = {}): Promise<string> {
  const response = await post(sender, { to: { person_id: 'nobody' }, content, ...change })
  expect(response.statusCode).toBe(202)
  return response.json().id
}

async function page(query: string, key?: string) {
  const response = await get(sender, `/v1/messages${query}`, key)
  expect(response.statusCode).toBe(200)
  return response.json()
}

async function idsOf(query: string, key?: string): Promise<string[]> {
  const { messages } = await page(query, key)
  return messages.map((message: { id: string }) => message.id)
}

/** All pages of a list, with their sizes. */
async function walk(query: string) {
  const ids: string[] = []
  const sizes: number[] = []
  let cursor: string | null = null
  do {
    const next: string = cursor === null ? '' : `&cursor=${cursor}`
    const { messages, next_cursor } = await page(`${query}${next}`)
    ids.push(...messages.map((message: { id: string }) => message.id))
    sizes.push(messages.length)
    cursor = next_cursor
  } while (cursor !== null)
  return { ids, sizes }
}

test('pages come newest first and neither skip nor repeat, also while messages are accepted', async () => {
  const ids: string[] = []
  for (let count = 0; count < 23; count += 1) ids.unshift(await accept())
  const all = await walk('?limit=10')
  expect(all).toEqual({ ids, sizes: [10, 10, 3] })
  const first = await page('?limit=10')
  await accept()
  expect(await idsOf(`?limit=20&cursor=${first.next_cursor}`)).toEqual(ids.slice(10))
  expect((await page('?limit=24')).next_cursor).toBeNull()
})

test('a message in the list is as it reads by itself, and no token is repeated', async () => {
  const id = await accept({ to: { token: apnsToken(5) } })
  const { messages } = await page('?limit=1')
  expect(messages).toEqual([(await get(sender, `/v1/messages/${id}`)).json()])
  expect(JSON.stringify(messages)).not.toContain(apnsToken(5))
})

test('messages of one state', async () => {
  const scheduled = await accept({ send_at: Math.floor(Date.now() / 1000) + 3600 })
  const accepted = await accept({ to: { all: true } })
  const sending = await accept()
  const done = await accept()
  await sender.database.query(
    `update message_counts c set recipients = 1 from messages m
     where m.message_no = c.message_no and m.id = $1`,
    [sending],
  )
  expect(await idsOf('?state=scheduled')).toEqual([scheduled])
  expect(await idsOf('?state=accepted')).toEqual([accepted])
  expect(await idsOf('?state=sending')).toEqual([sending])
  expect((await idsOf('?state=done'))[0]).toBe(done)
  for (const id of [scheduled, accepted, sending]) {
    expect((await walk('?state=done&limit=7')).ids).not.toContain(id)
  }
})

test('messages for one app, and what a key of one app sees', async () => {
  const [first, second] = sender.tenant.apps
  const forFirst = await accept({ app_id: first.id })
  const forSecond = await accept({ app_id: second.id })
  expect(await idsOf(`?app_id=${first.id}`)).toEqual([forFirst])
  expect(await idsOf(`?app_id=${second.id}`)).toEqual([forSecond])
  expect(await idsOf('', sender.tenant.appSecret)).toEqual([forFirst])
  const { appSecret } = sender.tenant
  expect((await get(sender, `/v1/messages?app_id=${second.id}`, appSecret)).statusCode).toBe(403)
  expect(await idsOf('', sender.other.secret)).toEqual([])
})

test('what a filter looks for among very many is found page by page', async () => {
  await sender.database.query(
    `with made as (
       insert into messages (id, workspace_no, audience, content, priority, collapse_id, on_unknown,
                             ttl_seconds, lane, expires_at, planned_at)
       select gen_random_uuid(), $1, '{"person_id": "x"}', '{}', 'high', 'x', 'retry', 60,
              'transactional', now(), now()
       from generate_series(1, 4500) returning message_no)
     insert into message_counts (message_no) select message_no from made`,
    [sender.tenant.workspaceNo],
  )
  const { ids, sizes } = await walk('?state=accepted')
  expect(ids).toHaveLength(1)
  expect(sizes.length).toBeLessThanOrEqual(4)
  expect((await page('?state=scheduled')).messages).toHaveLength(1)
})

test.each([
  ['limit=0', 'limit'],
  ['limit=101', 'limit'],
  ['state=sent', 'state'],
  ['app_id=x', 'app_id'],
  ['app_id=01890000-0000-7000-8000-000000000000', 'app_id'],
  ['cursor=AAAA', 'cursor'],
  ['page=2', 'page'],
])('422 for ?%s', async (query, path) => {
  const response = await get(sender, `/v1/messages?${query}`)
  expect(response.statusCode).toBe(422)
  expect(response.json().errors).toMatchObject([{ path }])
})

test('a cursor of another filter is refused', async () => {
  const { next_cursor } = await page('?limit=1')
  expect((await get(sender, `/v1/messages?limit=2&cursor=${next_cursor}`)).statusCode).toBe(200)
  const other = await get(sender, `/v1/messages?state=done&cursor=${next_cursor}`)
  expect(other.statusCode).toBe(422)
})
