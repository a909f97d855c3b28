import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Customerio, createCustomerio, taken } from './customerio.ts'
import { randomToken } from './registry.ts'

let cio: Customerio

beforeAll(async () => {
  cio = await createCustomerio()
})

afterAll(() => cio[Symbol.asyncDispose]())

const entity = (operation: object, asked = {}) =>
  cio.track('POST', '/api/v2/entity', operation, asked)
const batch = (batch: unknown, asked = {}) => cio.track('POST', '/api/v2/batch', { batch }, asked)
const person = (action: string, id: string, rest: object = {}) => ({
  type: 'person',
  action,
  identifiers: { id },
  ...rest,
})

test('an operation on a person is done, and answered {}', async () => {
  const token = randomToken()
  const steps = [
    person('identify', 'p1', { attributes: { a: 1, b: 1 }, timestamp: 1_700_000_000 }),
    person('identify', 'p1', { attributes: { a: 2 }, timestamp: 1_600_000_000 }),
    person('add_device', 'p1', { device: { token, platform: 'iOS', attributes: { x: 1 } } }),
    person('event', 'p1', { name: 'bought', attributes: { price: 3 }, timestamp: 1_700_000_000 }),
    person('screen', 'p1', { name: 'Home', timestamp: 1_700_000_001 }),
    person('page', 'p1', { name: '/a', timestamp: 1_700_000_002 }),
  ]
  for (const step of steps) expect(await entity(step)).toMatchObject(taken)
  expect(await cio.person('p1')).toMatchObject({
    attributes: { a: 1, b: 1 },
    devices: [{ id: token, attributes: { x: 1 } }],
  })
  expect(await cio.events('p1')).toMatchObject([
    { name: 'bought', type: 'event', properties: { price: 3 } },
    { name: 'Home', type: 'screen' },
    { name: '/a', type: 'page' },
  ])
  expect(await entity(person('delete_device', 'p1', { device: { token } }))).toMatchObject(taken)
  expect(await cio.device(token)).toBeNull()
  expect(await entity(person('delete', 'p1'))).toMatchObject(taken)
  expect(await cio.person('p1')).toBeNull()
})

test('people are named by id, address, phone or cio_id, one of them', async () => {
  const identify = (identifiers: object, attributes: object) =>
    entity({ type: 'person', action: 'identify', identifiers, attributes })
  await identify({ id: 'n1' }, { email: 'n1@example.com' })
  await identify({ email: 'N1@example.com' }, { by: 'email' })
  expect((await cio.person('n1')).attributes.by).toBe('email')
  const { rows } = await cio.database.query(
    `select lpad(to_hex(person_no), 8, '0') as hex from people where id = 'n1'`,
  )
  await identify({ cio_id: rows[0].hex }, { by: 'cio_id' })
  expect((await cio.person('n1')).attributes.by).toBe('cio_id')
  await identify({ phone: '+15551234567' }, { by: 'phone' })
  expect((await cio.person('+15551234567')).attributes).toEqual({ by: 'phone' })
  // What is said to be an id is one, whatever it looks like.
  await identify({ id: 'cio_00000001' }, { by: 'id' })
  expect((await cio.person('cio_00000001')).attributes).toEqual({ by: 'id' })
})

test('suppressing, unsuppressing and merging need a secret key', async () => {
  await entity(person('identify', 's1', { attributes: { a: 1 } }))
  await entity(person('identify', 's2', { attributes: { b: 1 } }))
  const merge = {
    type: 'person',
    action: 'merge',
    primary: { id: 's1' },
    secondary: { id: 's2' },
  }
  const basic = `site:${cio.publicKey}`
  for (const operation of [
    person('suppress', 's1'),
    person('unsuppress', 's1'),
    person('delete', 's1'),
    merge,
  ]) {
    expect(await entity(operation, { basic })).toMatchObject({
      status: 403,
      body: { meta: { error: expect.stringContaining('needs a secret key') } },
    })
    expect(await batch([operation], { basic })).toMatchObject({
      status: 207,
      body: { errors: [{ batch_index: 0, reason: 'forbidden' }] },
    })
  }
  expect(await entity(merge)).toMatchObject(taken)
  expect((await cio.person('s1')).attributes).toEqual({ a: 1, b: 1 })
  expect(await cio.person('s2')).toBeNull()
  await entity(person('suppress', 's1'))
  expect(await cio.person('s1')).toMatchObject({ suppressed: true, attributes: {} })
  await entity(person('unsuppress', 's1'))
  expect(await cio.person('s1')).toMatchObject({ suppressed: false })
})

test('in a batch each item has its own verdict, and the good ones count', async () => {
  const token = randomToken()
  const answer = await batch([
    person('identify', 'b1', { attributes: { n: 1 } }),
    person('identify', 'b1', { attributes: [] }),
    person('add_device', 'b1', { device: { token: 'zz zz', platform: 'ios' } }),
    person('add_device', 'b1', { device: { token, platform: 'ios' } }),
    person('dance', 'b1'),
    { type: 'person', action: 'identify', identifiers: { id: 'x', email: 'a@b' } },
    { type: 'object', action: 'identify', identifiers: {} },
    null,
    person('event', 'b1', { name: 'late' }),
    person('event', 'b1', {}),
    person('identify', 'b1', { attributes: { n: 2 } }),
    person('add_relationships', 'b1', { cio_relationships: [] }),
    person('identify', 'b2', { attributes: { a: 'x'.repeat(40_000) } }),
  ])
  expect(answer.status).toBe(207)
  const told = answer.body.errors.map((error: Record<string, unknown>) => [
    error.batch_index,
    error.reason,
    error.field,
  ])
  expect(told).toEqual([
    [1, 'invalid', 'attributes'],
    [2, 'invalid', 'device.token'],
    [4, 'invalid', 'action'],
    [5, 'invalid', 'identifiers'],
    [6, 'unsupported', ''],
    [7, 'invalid', 'operation'],
    [9, 'required', 'name'],
    [11, 'unsupported', ''],
    [12, 'invalid', 'operation'],
  ])
  for (const error of answer.body.errors) expect(error.message).not.toBe('')
  expect(await cio.person('b1')).toMatchObject({ attributes: { n: 2 }, devices: [{ id: token }] })
  expect(await cio.eventNames('b1')).toEqual(['late'])
})

test('a batch that is all good is 200 {}', async () => {
  const items = Array.from({ length: 400 }, (_, n) =>
    person('identify', `many${n % 7}`, { attributes: { [`k${n}`]: n } }),
  )
  expect(await batch(items)).toMatchObject(taken)
  const people = await Promise.all(Array.from({ length: 7 }, (_, n) => cio.person(`many${n}`)))
  const keys = people.flatMap(({ attributes }) => Object.keys(attributes))
  expect(keys).toHaveLength(400)
  expect(await batch([])).toMatchObject(taken)
})

test.each([{}, { batch: 'x' }, { batch: { 0: {} } }])(
  'a batch that is no list is 400: %j',
  async (body) => {
    expect(await cio.track('POST', '/api/v2/batch', body)).toMatchObject({
      status: 400,
      body: { errors: [{ reason: 'invalid', field: 'batch', message: 'must be a list' }] },
    })
  },
)

test('one that is too large is 400, in v2 as in v1', async () => {
  const large = { attributes: { a: 'x'.repeat(520_000) } }
  for (const path of ['/api/v2/batch', '/api/v2/entity']) {
    const answer = await cio.track('POST', path, { batch: [person('identify', 'l', large)] })
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ reason: 'body_too_large' }] } })
  }
  const v1 = await cio.track('PUT', '/api/v1/customers/l', large.attributes)
  expect(v1).toMatchObject({ status: 400, body: { meta: { errors: [expect.any(String)] } } })
  const operation = person('identify', 'l', { attributes: { a: 'x'.repeat(33_000) } })
  expect((await entity(operation)).status).toBe(400)
})

test('an entity that is wrong is 400 with reason, field and message', async () => {
  expect(
    await entity(person('add_device', 'e1', { device: { token: randomToken() } })),
  ).toMatchObject({
    status: 400,
    body: { errors: [{ reason: 'required', field: 'device.platform', message: 'is required' }] },
  })
  expect(
    await entity({ type: 'delivery', action: 'event', identifiers: { id: 'x' } }),
  ).toMatchObject({
    status: 400,
    body: { errors: [{ field: 'identifiers.id' }] },
  })
  expect(await entity(person('identify', 'e1'), { basic: null })).toMatchObject({ status: 401 })
})
