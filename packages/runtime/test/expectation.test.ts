import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { buildServer, createLogger } from '../src/index.ts'

test('an expectation that nobody knows gets a problem too', async () => {
  const logger = createLogger({ name: 'test', level: 'silent' })
  const app = buildServer({ title: 'Test', description: 'A test', version: '1', logger })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const call = request(`${origin}/health/live`, { headers: { expect: 'miracles' } })
  call.end()
  const [response] = await once(call, 'response')
  expect(response.statusCode).toBe(417)
  expect(response.headers['content-type']).toContain('application/problem+json')
  expect(JSON.parse(await text(response))).toMatchObject({
    status: 417,
    code: 'unknown_expectation',
  })
  await app.close()
})
