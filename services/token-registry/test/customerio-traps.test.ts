import { request as httpRequest } from 'node:http'
import { createLogger } from '@pushkeep/runtime'
import { connect } from '@pushkeep/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildApp } from '../src/index.ts'
import { type Customerio, createCustomerio } from './customerio.ts'
import { randomToken } from './registry.ts'

/** What decides whether clients of Customer.io work, beside what each API says of itself. */

let cio: Customerio
let origin: URL

beforeAll(async () => {
  cio = await createCustomerio()
  origin = new URL(await cio.app.listen({ host: '127.0.0.1', port: 0 }))
})

afterAll(() => cio[Symbol.asyncDispose]())

interface Raw {
  status: number
  headers: Record<string, unknown>
  body: string
}

/** A request with exactly these headers, over a socket. */
function raw(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: origin.hostname, port: origin.port, method, path, headers },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part) => {
          text += part
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        )
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

const secret = () => ({ authorization: `Basic ${btoa(`site:${cio.secretKey}`)}` })
const json = { 'content-type': 'application/json' }
const token = randomToken()

const calls: [string, string, string?][] = [
  ['PUT', '/api/v1/customers/1', '{"a":1}'],
  ['PUT', '/api/v1/customers/1/devices', `{"device":{"id":"${token}","platform":"ios"}}`],
  ['POST', '/api/v1/customers/1/events', '{"name":"a"}'],
  ['POST', '/api/v1/events', '{"name":"a","anonymous_id":"x"}'],
  ['POST', '/api/v1/merge_customers', '{"primary":{"id":"1"},"secondary":{"id":"2"}}'],
  [
    'POST',
    '/push/events',
    `{"delivery_id":"AAAAAAAAAAAAAAAAAAAAAA","device_id":"${token}","event":"opened"}`,
  ],
  ['POST', '/api/v2/entity', '{"type":"person","action":"identify","identifiers":{"id":"1"}}'],
  ['POST', '/api/v2/batch', '{"batch":[]}'],
  ['POST', '/v1/identify', '{"userId":"1"}'],
  ['POST', '/v1/batch', '{"batch":[{"type":"identify","userId":"1"}]}'],
  ['POST', '/v1/b', '{"batch":[]}'],
  ['DELETE', `/api/v1/customers/1/devices/${token}`],
  ['POST', '/api/v1/customers/1/suppress'],
  ['POST', '/api/v1/customers/1/unsuppress'],
  ['DELETE', '/api/v1/customers/1'],
]

test.each(calls)('%s %s is exactly 200 {}, as JSON', async (method, path, body) => {
  const answer = await raw(method, path, { ...secret(), ...json }, body)
  expect(answer).toMatchObject({ status: 200, body: '{}' })
  expect(answer.headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'content-length': '2',
  })
})

describe('a call without a body', () => {
  const bodyless = calls.filter(([, , body]) => body === undefined)

  test.each(bodyless)('%s %s may say that it is JSON, or nothing at all', async (method, path) => {
    for (const headers of [
      { ...json, 'content-length': '0' },
      { ...json, 'transfer-encoding': 'chunked' },
      json,
      {},
    ]) {
      expect(await raw(method, path, { ...secret(), ...headers })).toMatchObject({ status: 200 })
    }
    const length = { 'content-length': '2' }
    const answer = await raw(method, path, { ...secret(), ...json, ...length }, '{}')
    expect(answer.status).toBe(200)
  })
})

test.each(calls)(
  '%s %s reads JSON under any content type, and none',
  async (method, path, body) => {
    for (const headers of [{ 'content-type': 'text/plain;charset=UTF-8' }, {}]) {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      expect(await raw(method, path, { ...secret(), ...headers, ...length }, body)).toMatchObject({
        status: 200,
      })
    }
  },
)

test.each(calls)(
  '%s %s never redirects, nor does what is nearly it',
  async (method, path, body) => {
    for (const url of [`${path}/`, `/${path}`, path.toUpperCase(), `${path}?a=b`]) {
      const { status } = await raw(method, url, { ...secret(), ...json }, body)
      expect(status < 300 || status >= 400).toBe(true)
    }
  },
)

test('a body in chunks is read', async () => {
  const headers = { ...secret(), ...json, 'transfer-encoding': 'chunked' }
  const answer = await raw('PUT', '/api/v1/customers/chunked', headers, '{"a":1}')
  expect(answer.status).toBe(200)
  expect((await cio.person('chunked')).attributes).toEqual({ a: 1 })
})

test('while the database is away everything is 503 and comes back: nobody drops or stops', async () => {
  await using app = buildApp({
    database: connect({ url: 'postgres://nobody@127.0.0.1:1/none', name: 'test' }),
    logger: createLogger({ name: 'test', level: 'silent' }),
  })
  for (const [method, url, payload] of calls) {
    const answer = await app.inject({
      method: method as 'PUT',
      url,
      headers: { ...secret(), ...(payload === undefined ? {} : json) },
      ...(payload === undefined ? {} : { payload }),
    })
    expect([url, answer.statusCode]).toEqual([url, 503])
    expect(answer.headers['retry-after']).toBe('1')
    expect(answer.json().meta).toBeDefined()
  }
  const settings = await app.inject({ url: `/v1/projects/${cio.publicKey}/settings` })
  expect(settings.statusCode).toBe(503)
})

const garbage: [string, string][] = [
  ['cut short', '{"a":'],
  ['a number', '7'],
  ['text', '"x"'],
  ['a list', '[1]'],
  ['poison', '{"__proto__":{"a":1}}'],
  ['comments', '{/**/}'],
  ['nested without end', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
]

test.each(garbage)(
  'garbage is 400 or without effect, never 5xx, 413, 415 or 422: %s',
  async (_name, body) => {
    const before = await cio.countRows()
    for (const [method, path, usual] of calls) {
      if (usual === undefined) continue
      const { status } = await raw(method, path, { ...secret(), ...json }, body)
      // The permissive mode of Pipelines answers 200 to what it leaves.
      expect([path, [200, 400].includes(status)]).toEqual([path, true])
    }
    expect(await cio.countRows()).toEqual(before)
  },
)
