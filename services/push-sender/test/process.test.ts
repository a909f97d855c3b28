import { createKey, createWorkspace } from '@pushkeep/store'
import { createTestDatabase } from '@pushkeep/testkit'
import { expect, test } from 'vitest'
import { readyLine, spawnSender } from './spawn-sender.ts'

test('the process says where it listens, logs no secret, and ends with 0 when it is asked to', async () => {
  await using test = await createTestDatabase()
  const { workspaceNo } = await createWorkspace(test.database, 'test')
  const owner = { workspaceNo, appNo: null, kind: 'secret' as const, name: 'test' }
  const { key } = await createKey(test.database, owner)
  const { child, lines, exited } = spawnSender({ DATABASE_URL: test.url, SENDER_PORT: '0' })
  const ready = await readyLine(lines)
  expect(ready.name).toBe('push-sender')
  const response = await fetch(`${ready.url}/v1/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ to: { token: 'ab'.repeat(32) }, content: { title: 'Hello' } }),
  })
  expect(response.status).toBe(202)
  const metrics = await (await fetch(`${ready.operations_url}/metrics`)).text()
  expect(metrics).toContain('pushkeep_messages_total{lane="transactional",result="accepted"} 1')
  expect((await fetch(`${ready.url}/metrics`)).status).toBe(404)
  await expect.poll(() => lines.join('')).toContain('"route":"/v1/messages"')
  child.kill('SIGTERM')
  expect(await exited).toEqual([0, null])
  for (const secret of [key, 'ab'.repeat(32), new URL(test.url).password]) {
    expect(lines.join('\n') + metrics).not.toContain(secret)
  }
})

test('without a database URL it ends with 1 and names the variable', async () => {
  const { lines, exited } = spawnSender({})
  expect(await exited).toEqual([1, null])
  expect(lines.join('\n')).toContain('DATABASE_URL is required')
})
