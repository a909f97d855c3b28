import { describe, expect, test } from 'vitest'
import { takeAnswer } from '../fuzz/answer.ts'
import { type Case, type Expected, refused } from '../fuzz/case.ts'
import type { Operation, Schema } from '../fuzz/documents.ts'
import { faultsOf } from '../fuzz/judge.ts'
import type { Known } from '../fuzz/known.ts'
import { makeCase } from '../fuzz/make-case.ts'
import { violation } from '../fuzz/schema-check.ts'

const problem: Schema = {
  type: 'object',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    errors: { type: 'array', items: { type: 'object' } },
  },
  required: ['type', 'title', 'status', 'code'],
  additionalProperties: false,
}
const body: Schema = {
  type: 'object',
  properties: {
    platform: { type: 'string', enum: ['ios', 'android'] },
    count: { type: 'integer', minimum: 0, maximum: 9 },
  },
  required: ['platform'],
  additionalProperties: false,
}
const operation: Operation = {
  service: 'registry',
  method: 'PUT',
  path: '/things/{id}',
  name: 'PUT /things/{id}',
  parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
  body: { schema: body, isRequired: true },
  responses: {
    200: { 'application/json': { type: 'object' } },
    204: {},
    422: { 'application/problem+json': problem },
  },
  isOpen: false,
  resolve: (schema) => schema,
}
const token = 'ab'.repeat(32)

function caseOf(expected: Expected): Case {
  const draft = { method: 'PUT', target: '/things/1', headers: [], body: null }
  return { number: 0, operation, what: '', draft, expected, reachesRoute: true, model: null }
}

const refusal = {
  type: 'about:blank',
  title: 'Unprocessable Entity',
  status: 422,
  code: 'invalid',
  errors: [{ path: 'device.platform', message: 'must be ios or android' }],
}

function judged(
  expected: Expected,
  status: number,
  value: unknown,
  type?: string | undefined,
  ms = 5,
) {
  const usual = status < 400 ? 'application/json' : 'application/problem+json; charset=utf-8'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const answer = {
    status,
    headers: { 'content-type': type ?? usual },
    body: Buffer.from(text),
  }
  const judge = { problem, secrets: [token] }
  return faultsOf(caseOf(expected), { kind: 'answer', answer, ms }, judge)
}

describe('the judge', () => {
  test('lets a refusal pass that is as it should be, and a request that was taken', () => {
    expect(judged(refused('device.platform', [422]), 422, refusal)).toEqual([])
    expect(judged(refused('device', [422]), 422, refusal)).toEqual([])
    expect(judged({ kind: 'taken' }, 200, {})).toEqual([])
    expect(judged({ kind: 'taken' }, 204, '')).toEqual([])
  })

  const detail = (text: string) => ({ ...refusal, detail: text })
  test.each<
    [fault: RegExp, Expected, status: number, body: unknown, type?: string | undefined, ms?: number]
  >([
    [/bad request was answered 200/, refused(), 200, {}],
    [/valid request was answered 422/, { kind: 'taken' }, 422, refusal],
    [/answered 500/, { kind: 'either' }, 500, refusal],
    [/instead of 413/, refused(undefined, [413]), 422, refusal],
    [/409 is not in the document/, refused(undefined, [409]), 409, refusal],
    [/content type "text\/html"/, refused(), 422, '<h1>no</h1>', 'text/html'],
    [/content type ""/, refused(), 422, '', ''],
    [/no JSON/, refused(), 422, '{'],
    [/code is missing/, refused(), 422, { type: '', title: '', status: 422 }],
    [/not known/, refused(), 422, { ...refusal, stack: '' }],
    [/instead of device.id/, refused('device.id', [422]), 422, refusal],
    [/no field instead of/, refused('device.id', [422]), 422, { ...refusal, errors: [] }],
    [/stack trace/, refused(), 422, detail('Error: x\n    at run (/app/src/x.js:1:2)')],
    [/SQL/, refused(), 422, detail('select id from devices where token = $1')],
    [/SQL/, refused(), 422, detail('duplicate key value violates unique constraint')],
    [/server of ours/, refused(), 422, detail('connect ECONNREFUSED 10.0.0.1')],
    [/token or key/, refused(), 422, detail(`no token ${token}`)],
    [/bytes/, refused(), 422, detail('x'.repeat(20_000))],
    [/took 3000 ms/, refused(), 422, refusal, undefined, 3000],
  ])('finds %s', (fault, expected, status, value, type, ms) => {
    expect(judged(expected, status, value, type, ms).join('; ')).toMatch(fault)
  })

  test('finds a request that got no answer', () => {
    const judge = { problem, secrets: [] }
    for (const kind of ['closed', 'silent', 'nonsense'] as const) {
      expect(faultsOf(caseOf(refused()), { kind, ms: 1 }, judge)).toHaveLength(1)
    }
  })
})

test.each<[valid: boolean, value: unknown]>([
  [true, { platform: 'ios' }],
  [true, { platform: 'ios', count: 9 }],
  [false, {}],
  [false, { platform: 'tv' }],
  [false, { platform: 'ios', count: 10 }],
  [false, { platform: 'ios', count: 1.5 }],
  [false, { platform: 'ios', count: Number.POSITIVE_INFINITY }],
  [false, { platform: 'ios', constructor: 1 }],
  [false, []],
  [false, null],
])('by the schema it is %s that %j is valid', (isValid, value) => {
  expect(violation(body, value, (schema) => schema) === null).toBe(isValid)
})

test('the same seed and number make the same request', () => {
  const known: Known = {
    appId: 'app',
    secretKey: 'sk_0123456789abcdef',
    publicKey: 'pk_0123456789abcdef',
    phones: [{ platform: 'ios', token, person: 'p' }],
    messages: ['m'],
  }
  const made = (seed: string) =>
    Array.from({ length: 300 }, (_, number) => {
      const { what, draft } = makeCase(seed, number, [operation], known)
      return { what, ...draft, body: draft.body?.toString('base64') }
    })
  expect(made('a')).toEqual(made('a'))
  expect(made('a')).not.toEqual(made('b'))
  expect(new Set(made('a').map(({ what }) => what)).size).toBeGreaterThan(50)
})

test('answers are taken one by one from what arrives, whole or not yet', () => {
  const counted = 'HTTP/1.1 422 Unprocessable\r\nContent-Length: 2\r\n\r\n{}'
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n'
  const both = Buffer.from(`HTTP/1.1 100 Continue\r\n\r\n${counted}${chunked}`)
  const first = takeAnswer(both)
  expect(first?.answer).toMatchObject({ status: 422, body: Buffer.from('{}') })
  const second = takeAnswer(first?.rest ?? Buffer.alloc(0))
  expect(second?.answer).toMatchObject({ status: 200, body: Buffer.from('[]') })
  expect(second?.rest).toHaveLength(0)
  for (let cut = 1; cut < counted.length; cut += 1) {
    expect(takeAnswer(Buffer.from(counted.slice(0, cut)))).toBeNull()
  }
  expect(() => takeAnswer(Buffer.from('SSH-2.0\r\n\r\n'))).toThrow()
})
