import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Customerio, createCustomerio } from './customerio.ts'
import { randomToken } from './registry.ts'

let cio: Customerio
beforeAll(async () => {
  cio = await createCustomerio()
})
afterAll(() => cio[Symbol.asyncDispose]())

const texts = ['x\r\n\u001b]0;pwned\u0007', 'x\u009b2J', 'x\u202ey', 'x\u2028y']
const strict = { headers: { 'x-strict-mode': '1' } }
const device = { id: randomToken(), platform: 'ios' }
const item = { messageId: 'control', timestamp: '2026-01-01T00:00:00Z' }

type Case = [what: string, place: string, ask: (text: string) => ReturnType<Customerio['call']>]

const refused: Case[] = [
  ['identify', 'id', (text) => cio.call('PUT', `/v1/people/${encodeURIComponent(text)}`, {})],
  [
    'suppress, which creates',
    'id',
    (text) => cio.call('POST', `/v1/people/${encodeURIComponent(text)}/suppress`),
  ],
  [
    'event',
    'id',
    (text) => cio.call('POST', `/v1/people/${encodeURIComponent(text)}/events`, { name: 'x' }),
  ],
  ['name of an event', 'name', (text) => cio.call('POST', '/v1/people/p/events', { name: text })],
  [
    'device of a person',
    'id',
    (text) => cio.call('PUT', `/v1/people/${encodeURIComponent(text)}/devices`, { device }),
  ],
  [
    'registration',
    'person_id',
    (text) => cio.call('PUT', `/v1/devices/${device.id}`, { platform: 'ios', person_id: text }),
  ],
  [
    'installation',
    'installation_id',
    (text) =>
      cio.call('PUT', `/v1/devices/${device.id}`, { platform: 'ios', installation_id: text }),
  ],
  [
    'Track identify',
    'identifier',
    (text) => cio.track('PUT', `/api/v1/customers/${encodeURIComponent(text)}`, {}),
  ],
  ['Track id', 'id', (text) => cio.track('PUT', '/api/v1/customers/a@b.example', { id: text })],
  [
    'Track device',
    'identifier',
    (text) => cio.track('PUT', `/api/v1/customers/${encodeURIComponent(text)}/devices`, { device }),
  ],
  [
    'Track event',
    'name',
    (text) => cio.track('POST', '/api/v1/customers/p/events', { name: text }),
  ],
  [
    'Track anonymous event',
    'anonymous_id',
    (text) => cio.track('POST', '/api/v1/events', { name: 'x', anonymous_id: text }),
  ],
  [
    'Track v2 identify',
    'identifiers.id',
    (text) =>
      cio.track('POST', '/api/v2/entity', {
        type: 'person',
        action: 'identify',
        identifiers: { id: text },
      }),
  ],
  [
    'Pipelines identify',
    'userId',
    (text) => cio.pipelines('/v1/identify', { ...item, userId: text, traits: {} }, strict),
  ],
  [
    'Pipelines anonymousId',
    'anonymousId',
    (text) => cio.pipelines('/v1/track', { ...item, anonymousId: text, event: 'x' }, strict),
  ],
  [
    'Pipelines event',
    'event',
    (text) => cio.pipelines('/v1/track', { ...item, userId: 'p', event: text }, strict),
  ],
]

test.each(refused)('control characters are refused: %s', async (_what, place, ask) => {
  const before = await cio.countRows()
  for (const text of texts) {
    const { status, body } = await ask(text)
    const said = JSON.stringify(body)
    expect([400, 422], said).toContain(status)
    expect(said).toContain(place)
    expect(said).toContain('control characters')
  }
  expect(await cio.countRows()).toEqual(before)
})

test('people of before, whose id has control characters, are read, changed and deleted', async () => {
  for (const [n, text] of texts.entries()) {
    const id = encodeURIComponent(text)
    await cio.database.query('insert into people (workspace_no, id) values ($1, $2)', [
      cio.workspaceNo,
      text,
    ])
    expect((await cio.call('GET', `/v1/people/${id}`)).body).toMatchObject({ id: text })
    expect((await cio.call('GET', `/v1/people/${id}/events`)).status).toBe(200)
    expect((await cio.call('POST', `/v1/people/${id}/unsuppress`)).status).toBe(200)
    const deleted =
      n % 2 === 0
        ? await cio.call('DELETE', `/v1/people/${id}`)
        : await cio.track('DELETE', `/api/v1/customers/${id}`)
    expect(deleted.status).toBeLessThan(300)
    expect((await cio.call('GET', `/v1/people/${id}`)).status).toBe(404)
  }
})
