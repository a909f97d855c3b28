import { readAudit } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRegistry } from './registry.ts'

let at: Awaited<ReturnType<typeof createRegistry>>
beforeAll(async () => {
  at = await createRegistry()
})
afterAll(() => at[Symbol.asyncDispose]())

/** The newest entries, newest first. */
async function entries(workspaceNo = at.workspaceNo) {
  const page = { workspaceNo, appNo: null, before: null, limit: 50 }
  return (await readAudit(at.database, page)).entries
}

const made = (id: string) => at.call('PUT', `/v1/people/${id}`, {})

test.each<[string, () => Promise<unknown>, string]>([
  ['deleting a person', () => at.call('DELETE', '/v1/people/audited-1'), 'person.delete'],
  [
    'erasing one who is not known',
    () => at.call('POST', '/v1/people/audited-new/suppress', { erase: true }),
    'person.erase',
  ],
  ['suppressing', () => at.call('POST', '/v1/people/audited-2/suppress'), 'person.suppress'],
  ['unsuppressing', () => at.call('POST', '/v1/people/audited-2/unsuppress'), 'person.unsuppress'],
  ['deleting by Track', () => at.call('DELETE', '/api/v1/customers/audited-3'), 'person.delete'],
  [
    'suppressing by Track',
    () => at.call('POST', '/api/v1/customers/audited-4/suppress'),
    'person.erase',
  ],
  [
    'merging by Track',
    () =>
      at.call('POST', '/api/v1/merge_customers', {
        primary: { id: 'audited-5' },
        secondary: { id: 'audited-6' },
      }),
    'person.merge',
  ],
])('%s is written down with key and address, without the id', async (_, work, action) => {
  for (let n = 1; n <= 6; n += 1) await made(`audited-${n}`)
  const before = (await entries()).length
  await work()
  const found = await entries()
  expect(found).toHaveLength(before + 1)
  expect(found[0]).toMatchObject({
    action,
    targetKind: 'person',
    key: { name: 'test', role: 'operate' },
    address: '127.0.0.1',
    isIntact: true,
  })
  const { rows } = await at.database.query('select * from audit_log')
  expect(JSON.stringify(rows)).not.toContain('audited-')
})

test('a batch that deletes many people is one entry, with their number', async () => {
  const ids = Array.from({ length: 30 }, (_, n) => `bulk-${n}`)
  await Promise.all(ids.map(made))
  const before = (await entries()).length
  await at.call('POST', '/api/v2/batch', {
    batch: ids.map((id) => ({ type: 'person', action: 'delete', identifiers: { id } })),
  })
  const found = await entries()
  expect(found).toHaveLength(before + 1)
  expect(found[0]).toMatchObject({ action: 'person.delete', detail: { people: 30 } })
})

test('deleting who is not there is no deed', async () => {
  const before = (await entries()).length
  expect((await at.call('DELETE', '/v1/people/nobody-here')).status).toBe(404)
  await at.call('DELETE', '/api/v1/customers/nobody-here')
  expect(await entries()).toHaveLength(before)
})

test('a public key that tries what is for secret ones is written down, once for many tries', async () => {
  const key = at.publicKey
  for (let n = 0; n < 40; n += 1) await at.call('GET', '/v1/people/ana', undefined, { key })
  const refused = async () => (await entries()).filter(({ action }) => action === 'access.refused')
  await expect
    .poll(refused)
    .toMatchObject([
      { key: { role: null }, address: '127.0.0.1', detail: { code: 'forbidden', attempts: 1 } },
    ])
  for (let n = 0; n < 10; n += 1) {
    await at.call('GET', '/v1/people/ana', undefined, { key: `sk_${'x'.repeat(40)}` })
  }
  // Of no workspace: the installation's log has it.
  await expect
    .poll(() => entries(0))
    .toMatchObject([{ key: null, address: '127.0.0.1', detail: { code: 'unauthorized' } }])
})
