import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../src/index.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

function ask(method: string, path: string, headers: Record<string, string>, body = '') {
  return new Promise<number>((resolve, reject) => {
    const call = request(`${simulator.urls.simulator}${path}`, { method, headers }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
    call.on('error', reject)
    call.end(body)
  })
}

test.each([
  ['evil.example', 421],
  ['evil.example:7004', 421],
  ['127.0.0.1.evil.example', 421],
  ['127.0.0.1:7004', 200],
  ['localhost:7004', 200],
  ['[::1]:7004', 200],
  ['simulator:7004', 200],
])('a page under the name %s reads credentials: %d', async (host, status) => {
  expect(await ask('GET', '/credentials', { host })).toBe(status)
})

const goaway = '{"provider":"apns"}'

test.each([
  [{ origin: 'http://evil.example', 'content-type': 'text/plain' }, 403],
  [{ origin: 'null', 'content-type': 'text/plain' }, 403],
  [{ 'sec-fetch-site': 'cross-site' }, 403],
  [{ 'content-type': 'application/json' }, 200],
  [{ 'content-type': 'application/x-www-form-urlencoded' }, 200],
])('a change with %j: %d', async (headers: Record<string, string>, status) => {
  expect(await ask('POST', '/goaway', headers, goaway)).toBe(status)
})
