import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>
let call: typeof registry.call

beforeAll(async () => {
  registry = await createRegistry()
  call = registry.call
})

afterAll(() => registry[Symbol.asyncDispose]())

const url = '/v1/people/dana/events'

test('what a person did is stored and reads back, the latest first', async () => {
  const bought = {
    name: ' bought ',
    id: '01JDM0000000000000000000',
    timestamp: '2026-01-02T03:04:05.678Z',
    properties: { price: 3, nested: { list: [null, 'ä'] } },
  }
  const first = await call('POST', url, bought)
  expect(first).toMatchObject({ status: 200, body: { applied: true } })
  const seen = await call('POST', url, { name: 'Home', type: 'screen', timestamp: 1_700_000_000 })
  expect(seen).toMatchObject({ status: 200, body: { applied: true } })
  expect((await call('GET', url)).body).toEqual({
    events: [
      {
        name: 'bought',
        type: 'event',
        timestamp: '2026-01-02T03:04:05.678Z',
        received_at: expect.stringMatching(/Z$/),
        id: bought.id,
        anonymous_id: null,
        properties: bought.properties,
      },
      {
        name: 'Home',
        type: 'screen',
        timestamp: '2023-11-14T22:13:20.000Z',
        received_at: expect.stringMatching(/Z$/),
        id: null,
        anonymous_id: null,
        properties: {},
      },
    ],
    next_cursor: null,
  })
  expect((await call('GET', '/v1/people/dana')).status).toBe(200)
})

test('a repeat under the same id is taken and changes nothing', async () => {
  const event = { name: 'once', id: 'repeat' }
  expect((await call('POST', '/v1/people/rep/events', event)).body).toEqual({ applied: true })
  expect((await call('POST', '/v1/people/rep/events', event)).body).toEqual({ applied: false })
  expect((await call('GET', '/v1/people/rep/events')).body.events).toHaveLength(1)
})

test('pages follow each other by their cursor', async () => {
  const names = Array.from({ length: 7 }, (_, n) => `e${n}`)
  for (const name of names) await call('POST', '/v1/people/paged/events', { name })
  const read: string[] = []
  let cursor = ''
  do {
    const { body } = await call('GET', `/v1/people/paged/events?limit=3${cursor}`)
    read.push(...body.events.map((event: { name: string }) => event.name))
    cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`
  } while (cursor !== '')
  expect(read).toEqual(names.toReversed())
})

test.each([
  ['no name', {}, 'name'],
  ['an empty name', { name: '' }, 'name'],
  ['a blank name', { name: ' \n' }, 'name'],
  ['a name over 1,000 bytes', { name: 'é'.repeat(501) }, 'name'],
  ['a name with NUL', { name: 'a\u0000' }, 'name'],
  ['an unknown type', { name: 'a', type: 'click' }, 'type'],
  ['an id over 255 bytes', { name: 'a', id: 'x'.repeat(256) }, 'id'],
  ['a time in ms', { name: 'a', timestamp: 1_700_000_000_000 }, 'timestamp'],
  ['properties that are a list', { name: 'a', properties: [] }, 'properties'],
  ['properties over 100 kB', { name: 'a', properties: { a: 'x'.repeat(100_000) } }, 'properties'],
  [
    '1,001 properties',
    { name: 'a', properties: Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [n, n])) },
    'properties',
  ],
  ['half a character', { name: 'a', properties: { a: ['\ud800'] } }, 'properties.a.0'],
  ['an unknown field', { name: 'a', data: {} }, 'data'],
])('%s is refused by name and stores nothing', async (_name, body, path) => {
  const before = await registry.countRows()
  const answer = await call('POST', '/v1/people/bad/events', body)
  expect(answer.status).toBe(422)
  expect(answer.body.errors[0].path).toBe(path)
  expect(await registry.countRows()).toEqual(before)
})

test.each(['x', Buffer.from('["2026-01-01T00:00:00Z","x"]').toString('base64url')])(
  'a cursor that is none is refused: %s',
  async (cursor) => {
    const answer = await call('GET', `${url}?cursor=${cursor}`)
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: 'cursor' }] } })
  },
)

test('nobody has no events', async () => {
  const answer = await call('GET', '/v1/people/nobody/events')
  expect(answer).toMatchObject({ status: 404, body: { code: 'unknown_person' } })
})

test('who is erased is not known again until they are unsuppressed', async () => {
  const token = randomToken()
  const device = { id: token, platform: 'ios' }
  const everything = async () => {
    await call('PUT', '/v1/people/erased', { attributes: { secret: 1 } })
    await call('POST', '/v1/people/erased/events', { name: 'secret' })
    return call('PUT', '/v1/people/erased/devices', { device })
  }
  expect(await everything()).toMatchObject({ body: { applied: true } })
  const erased = await call('POST', '/v1/people/erased/suppress', { erase: true })
  const empty = { suppressed: true, blocked: true, attributes: {} }
  expect(erased).toMatchObject({ status: 200, body: empty })
  expect((await call('GET', `/v1/devices/${token}`)).status).toBe(404)
  expect(await everything()).toEqual(
    expect.objectContaining({ status: 200, body: { id: token, applied: false } }),
  )
  const read = await call('GET', '/v1/people/erased')
  expect(read.body).toMatchObject({ ...empty, devices: [] })
  expect((await call('GET', '/v1/people/erased/events')).body.events).toEqual([])

  await call('POST', '/v1/people/erased/unsuppress')
  expect(await everything()).toMatchObject({ body: { applied: true, person_id: 'erased' } })
  expect((await call('GET', '/v1/people/erased/events')).body.events).toHaveLength(1)
})

test('to suppress is not to erase', async () => {
  await call('PUT', '/v1/people/quiet', { attributes: { a: 1 } })
  const answer = await call('POST', '/v1/people/quiet/suppress', { erase: false })
  expect(answer.body).toMatchObject({ suppressed: true, blocked: false, attributes: { a: 1 } })
  const wrong = await call('POST', '/v1/people/quiet/suppress', { erase: 'yes' })
  expect(wrong).toMatchObject({ status: 422, body: { errors: [{ path: 'erase' }] } })
})
