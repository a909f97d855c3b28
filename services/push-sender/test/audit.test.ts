import { readAudit } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser, postSession } from './console.ts'
import { post, type Sender, startTestSender } from './sender.ts'

let sender: Sender
beforeAll(async () => {
  sender = await startTestSender()
  await sender.database.query(`insert into people (workspace_no, id) values ($1, 'ana')`, [
    sender.tenant.workspaceNo,
  ])
})
afterAll(() => sender[Symbol.asyncDispose]())

/** The newest entries of an action, newest first. */
async function entries(action: string, workspaceNo = sender.tenant.workspaceNo) {
  const page = { workspaceNo, appNo: null, before: null, limit: 100 }
  const { entries } = await readAudit(sender.database, page)
  expect(entries.every(({ isIntact }) => isIntact)).toBe(true)
  return entries.filter((entry) => entry.action === action)
}

test('a message to everyone, or to a long list, is written down; one to a person is not', async () => {
  const content = { title: 'Hello' }
  const many = Array.from({ length: 1000 }, (_, n) => `person-${n}`)
  for (const to of [{ all: true }, { person_ids: many }, { person_id: 'ana' }]) {
    const answer = await post(sender, { to, content })
    expect(answer.statusCode).toBe(202)
  }
  const found = await entries('message.broadcast')
  expect(found).toMatchObject([
    { detail: { to: '1000' }, targetKind: 'message', key: { name: 'test' }, address: '127.0.0.1' },
    { detail: { to: 'all' }, targetKind: 'message', key: { name: 'test' }, address: '127.0.0.1' },
  ])
})

test('a broadcast that comes again under its key is written down once', async () => {
  const before = (await entries('message.broadcast')).length
  const headers = { 'idempotency-key': 'once' }
  const body = { to: { all: true }, content: { title: 'Once' } }
  await post(sender, body, headers)
  await post(sender, body, headers)
  expect(await entries('message.broadcast')).toHaveLength(before + 1)
})

test("looking at a person's page is written down, once for many looks", async () => {
  const browser = await openBrowser(sender, 'read')
  for (let n = 0; n < 5; n += 1) await browser.get('/ops/api/people/ana')
  const found = await entries('person.view')
  expect(found).toMatchObject([
    { target: 'ana', targetKind: 'person', key: { name: 'read key', role: 'read' } },
  ])
  expect(found[0]?.address).toMatch(/^\d/)
})

test('what a role may not do is written down when it is tried', async () => {
  const browser = await openBrowser(sender, 'read')
  await browser.call('POST', '/ops/api/people/ana/suppress')
  await expect
    .poll(() => entries('access.refused'))
    .toMatchObject([{ key: { name: 'read key', role: 'read' }, detail: { code: 'role_needed' } }])
})

test('a sign-in that fails is written down for the installation, with its address', async () => {
  await postSession(sender, `sk_${'w'.repeat(43)}`)
  await postSession(sender, sender.tenant.public)
  await expect
    .poll(async () => (await entries('session.refused', 0)).map(({ detail }) => detail.code))
    .toEqual(expect.arrayContaining(['wrong_key', 'public_key']))
})
