import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { createLogger } from '@pushkeep/runtime'
import { connect as connectDatabase } from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildApp } from '../src/index.ts'
import { createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>
let origin: string

beforeAll(async () => {
  registry = await createRegistry()
  origin = await registry.app.listen({ host: '127.0.0.1', port: 0 })
})

afterAll(() => registry[Symbol.asyncDispose]())

function put(url: string, body: object, base = origin) {
  return fetch(base + url, {
    method: 'PUT',
    headers: { authorization: `Bearer ${registry.secretKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

test('many clients at once, one token: one owner in the end, each answer what was true', async () => {
  const token = randomToken()
  const people = Array.from({ length: 50 }, (_, n) => `p${n}`)
  const answers = await Promise.all(
    people.map(async (id) => {
      const response = await put(`/v1/devices/${token}`, { platform: 'ios', person_id: id })
      return { id, status: response.status, body: await response.json() }
    }),
  )
  for (const { id, status, body } of answers) {
    expect({ status, body }).toMatchObject({ status: 200, body: { person_id: id, applied: true } })
  }
  const { rows } = await registry.database.query(
    `select count(*)::int as events from device_events e join devices d using (device_no)
     where d.token = $1`,
    [token],
  )
  expect(rows).toEqual([{ events: 50 }])
})

test.each(['/v1/people/..', '/v1/people/.', '/v1/people/%2e%2e'])(
  'dots are no id: %s',
  async (path) => {
    const port = Number(new URL(origin).port)
    const headers = { authorization: `Bearer ${registry.secretKey}` }
    const call = request({ port, method: 'PUT', path, headers })
    call.end()
    const [response] = await once(call, 'response')
    response.resume()
    expect(response.statusCode).toBe(422)
  },
)

test('a body that does not come as long as it was said gets no answer that counts', async () => {
  const before = await registry.countRows()
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  socket.write(
    `PUT /v1/devices/${randomToken()} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
      `Authorization: Bearer ${registry.secretKey}\r\nContent-Length: 100\r\n\r\n{"platform":"ios"}`,
  )
  socket.end()
  await closed(socket)
  expect(await registry.countRows()).toEqual(before)
})

async function closed(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  await once(socket, 'close')
  return text
}

test('503 with Retry-After while the database is away, and ready says so', async () => {
  const database = connectDatabase({ url: 'postgres://x:y@127.0.0.1:1/none', name: 'test' })
  const logger = createLogger({ name: 'test', level: 'silent' })
  const app = buildApp({ database, logger })
  const base = await app.listen({ host: '127.0.0.1', port: 0 })
  const device = { platform: 'ios' }
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => put(`/v1/devices/${randomToken()}`, device, base)),
  )
  for (const answer of [...answers, await fetch(`${base}/health/ready`)]) {
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
  }
  expect((await fetch(`${base}/health/live`)).status).toBe(200)
  await app.close()
  await database.end()
})

test('the program starts, serves, finishes what it began and exits with 0', async () => {
  const main = new URL('../src/main.ts', import.meta.url).pathname
  const env = { PATH: process.env.PATH, DATABASE_URL: registry.url, REGISTRY_PORT: '0' }
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let url: string | undefined
  for await (const line of createInterface(child.stdout)) {
    const message = JSON.parse(line)
    if (message.ready) url = message.url
    if (url) break
  }
  child.stdout.resume()
  const calls = Array.from({ length: 50 }, () =>
    put(`/v1/devices/${randomToken()}`, { platform: 'ios' }, url),
  )
  await calls[0]
  child.kill('SIGTERM')
  const statuses = await Promise.allSettled(calls)
  const exit = await once(child, 'exit')
  expect(exit).toEqual([0, null])
  // What it did not take any more was refused as a connection, never by half an answer.
  for (const result of statuses)
    if (result.status === 'fulfilled') expect(result.value.ok).toBe(true)
})

test('a configuration that is wrong is told at once, by name and without values', async () => {
  const main = new URL('../src/main.ts', import.meta.url).pathname
  const env = { PATH: process.env.PATH, REGISTRY_PORT: 'hunter2' }
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  expect(await once(child, 'exit')).toEqual([1, null])
  expect(errors).toMatch(/DATABASE_URL is required\n\s+REGISTRY_PORT must be a whole number/)
  expect(errors).not.toContain('hunter2')
})
