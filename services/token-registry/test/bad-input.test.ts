import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>

beforeAll(async () => {
  registry = await createRegistry()
})

afterAll(() => registry[Symbol.asyncDispose]())

function nested(depth: number): string {
  return '{"a":'.repeat(depth) + 1 + '}'.repeat(depth)
}

const token = randomToken()
const device = `/v1/devices/${token}`
const personDevice = '/v1/people/p/devices'
const ios = '"platform":"ios"'
const lone = '"\\ud800"'

type Case = [name: string, url: string, body: string | Buffer, status: number, path?: string]

const bodies: Case[] = [
  ['no platform', device, '{}', 422, 'platform'],
  ['unknown platform', device, '{"platform":"tv"}', 422, 'platform'],
  ['platform of another type', device, '{"platform":1}', 422, 'platform'],
  [
    'unknown platform',
    personDevice,
    `{"device":{"id":"${token}","platform":""}}`,
    422,
    'device.platform',
  ],
  ['no token', personDevice, `{"device":{${ios}}}`, 422, 'device.id'],
  ['empty token', personDevice, `{"device":{"id":"",${ios}}}`, 422, 'device.id'],
  ['malformed token', personDevice, `{"device":{"id":"zz zz",${ios}}}`, 422, 'device.id'],
  ['token of another type', personDevice, `{"device":{"id":5,${ios}}}`, 422, 'device.id'],
  ['no device', personDevice, '{}', 422, 'device'],
  ['device of another type', personDevice, '{"device":[]}', 422, 'device'],
  ['malformed token in the path', '/v1/devices/zz', `{${ios}}`, 422, 'token'],
  ['NUL in the path', '/v1/devices/a%00b', `{${ios}}`, 422, 'token'],
  ['unknown field', device, `{${ios},"extra":1}`, 422, 'extra'],
  ['unknown field', personDevice, `{"device":{"id":"${token}",${ios},"x":1}}`, 422, 'device.x'],
  ['no JSON', device, '{', 400],
  ['no object', device, '"text"', 422, 'body'],
  ['null', device, 'null', 422, 'body'],
  ['list', device, '[]', 422, 'body'],
  ['no body', device, '', 422, 'body'],
  ['invalid UTF-8', device, Buffer.from([...Buffer.from(`{${ios},"x":"`), 0xff, 0x22, 0x7d]), 400],
  ['__proto__', device, `{${ios},"attributes":{"__proto__":{"a":1}}}`, 400, 'attributes.__proto__'],
  ['__proto__ at the top', device, `{${ios},"__proto__":{}}`, 400, '__proto__'],
  ['constructor', device, `{${ios},"attributes":{"constructor":1}}`, 422, 'attributes.constructor'],
  [
    'prototype',
    device,
    `{${ios},"attributes":{"a":{"prototype":1}}}`,
    422,
    'attributes.a.prototype',
  ],
  [
    'poisoned constructor',
    device,
    `{${ios},"attributes":{"constructor":{"prototype":1}}}`,
    400,
    'attributes.constructor',
  ],
  ['nesting 21', device, `{${ios},"attributes":${nested(21)}}`, 422, 'attributes.a.a.a'],
  ['nesting 50,000', device, `{${ios},"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 422, 'x'],
  [
    'nesting 30,000 in attributes',
    device,
    `{${ios},"attributes":${nested(30_000)}}`,
    422,
    'attributes.a.a.a',
  ],
  [
    '301 attributes',
    device,
    `{${ios},"attributes":{${Array.from({ length: 301 }, (_, n) => `"k${n}":1`)}}}`,
    422,
    'attributes',
  ],
  [
    '65 kB of attributes',
    device,
    `{${ios},"attributes":{"a":"${'x'.repeat(66_000)}"}}`,
    422,
    'attributes',
  ],
  [
    'long attribute name',
    device,
    `{${ios},"attributes":{"${'k'.repeat(151)}":1}}`,
    422,
    'attributes',
  ],
  ['NUL in an attribute', device, `{${ios},"attributes":{"a":"\\u0000"}}`, 422, 'attributes.a'],
  [
    'lone surrogate',
    device,
    `{${ios},"attributes":{"a":{"b":[${lone}]}}}`,
    422,
    'attributes.a.b.0',
  ],
  ['lone surrogate in a name', device, `{${ios},"attributes":{${lone}:1}}`, 422, 'attributes'],
  ['1e400', device, `{${ios},"attributes":{"a":1e400}}`, 422, 'attributes.a'],
  ['attributes of another type', device, `{${ios},"attributes":[1]}`, 422, 'attributes'],
  [
    'push_enabled',
    device,
    `{${ios},"attributes":{"push_enabled":"maybe"}}`,
    422,
    'attributes.push_enabled',
  ],
  [
    'push_enabled',
    personDevice,
    `{"device":{"id":"${token}",${ios},"attributes":{"push_enabled":2}}}`,
    422,
    'device.attributes.push_enabled',
  ],
  [
    'reserved attribute as object',
    device,
    `{${ios},"attributes":{"device_os":{}}}`,
    422,
    'attributes.device_os',
  ],
  ['last_used', device, `{${ios},"last_used":"yesterday"}`, 422, 'last_used'],
  ['last_used in ms', device, `{${ios},"last_used":1700000000000}`, 422, 'last_used'],
  ['negative last_used', device, `{${ios},"last_used":-1}`, 422, 'last_used'],
  ['fractional last_used', device, `{${ios},"last_used":1.5}`, 422, 'last_used'],
  ['timestamp', device, `{${ios},"timestamp":"2024-13-01T00:00:00Z"}`, 422, 'timestamp'],
  [
    'timestamp without offset',
    device,
    `{${ios},"timestamp":"2024-01-01T00:00:00"}`,
    422,
    'timestamp',
  ],
  ['timestamp in ms', device, `{${ios},"timestamp":1700000000000}`, 422, 'timestamp'],
  ['environment', device, `{${ios},"environment":"staging"}`, 422, 'environment'],
  ['app_id', device, `{${ios},"app_id":"x"}`, 422, 'app_id'],
  ['empty person_id', device, `{${ios},"person_id":""}`, 422, 'person_id'],
  ['person_id of another type', device, `{${ios},"person_id":5}`, 422, 'person_id'],
  ['person_id with NUL', device, `{${ios},"person_id":"a\\u0000"}`, 422, 'person_id'],
  ['long person_id', device, `{${ios},"person_id":"${'ü'.repeat(76)}"}`, 422, 'person_id'],
  ['empty installation_id', device, `{${ios},"installation_id":""}`, 422, 'installation_id'],
  ['empty previous_token', device, `{${ios},"previous_token":""}`, 422, 'previous_token'],
  ['unknown field', '/v1/people/p', '{"email":"a@b"}', 422, 'email'],
  ['attributes', '/v1/people/p', '{"attributes":"x"}', 422, 'attributes'],
  ['NUL in an id', '/v1/people/a%00b', '{}', 422, 'id'],
  ['long id', `/v1/people/${'x'.repeat(151)}`, '{}', 422, 'id'],
  ['malformed percent', '/v1/people/%zz', '{}', 400],
  ['invalid UTF-8 in the path', '/v1/people/%ff', '{}', 400],
  ['surrogate in the path', '/v1/people/%ed%a0%80', '{}', 400],
  ['body over the limit', device, `{${ios},"x":"${'x'.repeat(262_144)}"}`, 413],
  ['token over 4096', `/v1/devices/${'a'.repeat(4097)}`, `{${ios}}`, 414],
]

test.each(bodies)('PUT, %s: %.60s', async (_name, url, body, status, path) => {
  const before = await registry.countRows()
  const headers = { 'content-type': 'application/json' }
  const answer = await registry.call('PUT', url, body, { headers })
  expect(answer).toMatchObject({ status, body: { status, code: expect.any(String) } })
  expect(answer.headers['content-type']).toContain('application/problem+json')
  if (path !== undefined) expect(answer.body.errors[0].path).toBe(path)
  expect(JSON.stringify(answer.body)).not.toContain(token)
  expect(await registry.countRows()).toEqual(before)
})

test.each([
  ['text/plain', 415],
  ['application/xml', 415],
  ['application/x-www-form-urlencoded', 415],
  ['application/json; charset=utf-8', 200],
  ['Application/JSON', 200],
])('content type %s: %i', async (type, status) => {
  const headers = { 'content-type': type }
  const answer = await registry.call('PUT', device, `{${ios}}`, { headers })
  expect(answer.status).toBe(status)
})

test('a compressed body is refused', async () => {
  const headers = { 'content-encoding': 'gzip' }
  expect((await registry.call('PUT', device, `{${ios}}`, { headers })).status).toBe(415)
})

test.each([
  ['DELETE', `/v1/devices/${randomToken()}?timestamp=soon`, 'timestamp'],
  ['DELETE', `/v1/devices/${randomToken()}?timestamp=1&timestamp=2`, 'timestamp'],
  ['DELETE', `/v1/devices/${randomToken()}?app_id=1`, 'app_id'],
  ['DELETE', `/v1/people/p/devices/${randomToken()}?token=1`, 'token'],
  ['GET', '/v1/devices/a%00b', 'token'],
  ['POST', '/v1/people/a%00b/suppress', 'id'],
] as const)('422 for %s %s', async (method, url, path) => {
  const answer = await registry.call(method, url)
  expect(answer).toMatchObject({ status: 422, body: { errors: [{ path }] } })
})

test('a bodyless call with a JSON content type is no error', async () => {
  const headers = { 'content-type': 'application/json', 'content-length': '0' }
  const url = `/v1/devices/${randomToken()}`
  expect((await registry.call('DELETE', url, undefined, { headers })).status).toBe(404)
  expect(
    (await registry.call('POST', '/v1/people/p/suppress', undefined, { headers })).status,
  ).toBe(200)
})

test('a token of 4096 characters fits into the path', async () => {
  const long = `${'a'.repeat(22)}:${'b'.repeat(4073)}`
  const url = `/v1/devices/${encodeURIComponent(long)}`
  const answer = await registry.call('PUT', url, '{"platform":"android"}')
  expect(answer).toMatchObject({ status: 200, body: { id: long } })
  expect((await registry.call('GET', url)).body).toMatchObject({ id: long })
})
