import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Customerio, createCustomerio, taken } from './customerio.ts'
import { randomToken } from './registry.ts'

let cio: Customerio

beforeAll(async () => {
  cio = await createCustomerio()
})

afterAll(() => cio[Symbol.asyncDispose]())

const v1 = '/api/v1/customers'
const androidToken = `dXZ3eHl6MDEyMzQ1:APA91b${'x'.repeat(120)}`

describe('people', () => {
  test('are added and merged; the answer is {} and nothing else', async () => {
    const first = await cio.track('PUT', `${v1}/5`, { first_name: 'Ana', plan: 'free', gone: 1 })
    expect(first).toMatchObject(taken)
    expect(first.headers['content-type']).toBe('application/json; charset=utf-8')
    await cio.track('PUT', `${v1}/5`, { plan: 'pro', gone: '', nested: { a: [1, null] } })
    expect((await cio.person('5')).attributes).toEqual({
      first_name: 'Ana',
      plan: 'pro',
      nested: { a: [1, null] },
    })
    expect(await cio.track('PUT', `${v1}/6`)).toMatchObject(taken)
    expect(await cio.person('6')).toMatchObject({ attributes: {} })
  })

  test.each(['user 1/ü@x', '用户', 'a?b#c', '+15551234567', 'cio_', 'cio_nothex'])(
    'have the id that the path decodes to: %s',
    async (id) => {
      await cio.track('PUT', `${v1}/${encodeURIComponent(id)}`, { seen: true })
      expect((await cio.person(id))?.attributes.seen).toBe(true)
    },
  )

  test('keep what Customer.io reserves out of their attributes', async () => {
    const reserved = {
      id: 'r1',
      _timestamp: 1_700_000_000,
      _update: false,
      anonymous_id: 'r-phone',
    }
    await cio.track('PUT', `${v1}/r1`, {
      ...reserved,
      created_at: 1_600_000_000,
      unsubscribed: true,
    })
    expect((await cio.person('r1')).attributes).toEqual({
      created_at: 1_600_000_000,
      unsubscribed: true,
    })
  })

  test('_update changes whoever is there, and creates nobody', async () => {
    expect(await cio.track('PUT', `${v1}/u1`, { a: 1, _update: true })).toMatchObject(taken)
    expect(await cio.person('u1')).toBeNull()
    await cio.track('PUT', `${v1}/u1`, { a: 1 })
    await cio.track('PUT', `${v1}/u1`, { a: 2, _update: true })
    expect((await cio.person('u1')).attributes).toEqual({ a: 2 })
  })

  test('_timestamp orders changes, whichever arrives first', async () => {
    await cio.track('PUT', `${v1}/t1`, { plan: 'pro', _timestamp: 1_700_000_002 })
    await cio.track('PUT', `${v1}/t1`, { plan: 'free', city: 'Oslo', _timestamp: '1700000001' })
    expect((await cio.person('t1')).attributes).toEqual({ plan: 'pro', city: 'Oslo' })
  })

  test('are deleted, and come back with the next call', async () => {
    await cio.track('PUT', `${v1}/d1`, { a: 1 })
    expect(await cio.track('DELETE', `${v1}/d1`)).toMatchObject(taken)
    expect(await cio.person('d1')).toBeNull()
    expect(await cio.track('DELETE', `${v1}/d1`)).toMatchObject(taken)
    await cio.track('PUT', `${v1}/d1`, {})
    expect(await cio.person('d1')).toMatchObject({ attributes: {} })
  })

  test('who are suppressed are erased, and calls about them ignored, until unsuppressed', async () => {
    const token = randomToken()
    const everything = async () => {
      const answers = [
        await cio.track('PUT', `${v1}/s1`, { a: 1 }),
        await cio.track('PUT', `${v1}/s1/devices`, { device: { id: token, platform: 'ios' } }),
        await cio.track('POST', `${v1}/s1/events`, { name: 'seen' }),
      ]
      for (const answer of answers) expect(answer).toMatchObject(taken)
    }
    await everything()
    expect(await cio.track('POST', `${v1}/s1/suppress`, {})).toMatchObject(taken)
    await everything()
    expect(await cio.person('s1')).toMatchObject({ suppressed: true, attributes: {}, devices: [] })
    expect(await cio.events('s1')).toEqual([])
    expect(await cio.device(token)).toBeNull()
    expect(await cio.track('POST', `${v1}/s1/unsuppress`)).toMatchObject(taken)
    await everything()
    expect(await cio.person('s1')).toMatchObject({ suppressed: false, attributes: { a: 1 } })
    expect(await cio.eventNames('s1')).toEqual(['seen'])
  })

  test('are merged: the primary takes over device, events and what it has not', async () => {
    const token = randomToken()
    await cio.track('PUT', `${v1}/m1`, { a: 1 })
    await cio.track('PUT', `${v1}/m2`, { a: 2, b: 2, email: 'M2@example.com' })
    await cio.track('PUT', `${v1}/m2/devices`, { device: { id: token, platform: 'ios' } })
    await cio.track('POST', `${v1}/m2/events`, { name: 'old' })
    const merge = { primary: { id: 'm1' }, secondary: { email: 'm2@EXAMPLE.com' } }
    expect(await cio.track('POST', '/api/v1/merge_customers', merge)).toMatchObject(taken)
    expect(await cio.person('m1')).toMatchObject({
      attributes: { a: 1, b: 2, email: 'M2@example.com' },
      devices: [{ id: token }],
    })
    expect(await cio.person('m2')).toBeNull()
    expect(await cio.eventNames('m1')).toEqual(['old'])
    expect(await cio.track('POST', '/api/v1/merge_customers', merge)).toMatchObject(taken)
  })

  test.each([
    [{ primary: { id: '1' } }, 'secondary'],
    [{ primary: { id: '1', email: 'a@b' }, secondary: { id: '2' } }, 'primary'],
    [{ primary: { name: '1' }, secondary: { id: '2' } }, 'primary'],
    [[], 'primary'],
  ])('a merge that names not two people is refused in its own words: %j', async (body, field) => {
    const answer = await cio.track('POST', '/api/v1/merge_customers', body)
    expect(answer).toMatchObject({ status: 400, body: { meta: { error: expect.any(String) } } })
    expect(answer.body.meta.error).toContain(`${field} must have exactly one of`)
  })
})

describe('people by address and cio_id', () => {
  const cioId = async (id: string) => {
    const { rows } = await cio.database.query(
      `select lpad(to_hex(person_no), 8, '0') as hex from people where id = $1`,
      [id],
    )
    return `cio_${rows[0].hex}`
  }

  test('an address names whoever has it, in any letter case', async () => {
    await cio.track('PUT', `${v1}/e1`, { email: 'Jane@Example.com' })
    await cio.track('PUT', `${v1}/${encodeURIComponent('jane@example.COM')}`, { found: true })
    expect((await cio.person('e1')).attributes).toEqual({ email: 'Jane@Example.com', found: true })
    expect(await cio.person('jane@example.COM')).toBeNull()
  })

  test('an address of nobody is a new person, with that address', async () => {
    const url = `${v1}/${encodeURIComponent('New@Example.com')}`
    await cio.track('PUT', url, { a: 1 })
    await cio.track('POST', `${v1}/new%40example.com/events`, { name: 'seen' })
    expect((await cio.person('New@Example.com')).attributes).toEqual({
      email: 'New@Example.com',
      a: 1,
    })
    expect(await cio.eventNames('New@Example.com')).toEqual(['seen'])
  })

  test('who was known by an address alone gets the id that comes with it', async () => {
    const token = randomToken()
    await cio.track('PUT', `${v1}/lead%40example.com`, { a: 1 })
    await cio.track('PUT', `${v1}/lead%40example.com/devices`, {
      device: { id: token, platform: 'ios' },
    })
    await cio.track('PUT', `${v1}/77`, { email: 'Lead@example.com', b: 2 })
    expect(await cio.person('lead@example.com')).toBeNull()
    expect(await cio.person('77')).toMatchObject({
      attributes: { a: 1, b: 2, email: 'Lead@example.com' },
      devices: [{ id: token }],
    })

    await cio.track('PUT', `${v1}/lead2%40example.com`, { a: 1 })
    await cio.track('PUT', `${v1}/lead2%40example.com`, { id: 78, b: 2 })
    expect((await cio.person('78')).attributes).toMatchObject({ a: 1, b: 2 })
  })

  test('an address of several people names none of them; an id is kept', async () => {
    await cio.track('PUT', `${v1}/90`, { email: 'two@example.com' })
    await cio.track('PUT', `${v1}/91`, { email: 'two@example.com' })
    const several = await cio.track('PUT', `${v1}/two%40example.com`, { older: true })
    expect(several).toMatchObject({
      status: 400,
      body: { meta: { errors: [expect.stringContaining('several people')] } },
    })
    expect((await cio.person('90')).attributes.older).toBeUndefined()
    expect((await cio.person('91')).attributes.older).toBeUndefined()
    await cio.track('PUT', `${v1}/91`, { email: '' })
    await cio.track('PUT', `${v1}/two%40example.com`, { older: true })
    expect((await cio.person('90')).attributes.older).toBe(true)
    const other = await cio.track('PUT', `${v1}/two%40example.com`, { id: '92' })
    expect(other).toMatchObject({ status: 400 })
    expect(await cio.track('PUT', `${v1}/90`, { id: '93' })).toMatchObject({
      status: 400,
      body: { meta: { errors: [expect.stringContaining('cio_<cio_id>')] } },
    })
  })

  test('an id changes under cio_id alone, and not to that of somebody else', async () => {
    await cio.track('PUT', `${v1}/old-id`, { a: 1 })
    const url = `${v1}/${await cioId('old-id')}`
    expect(await cio.track('PUT', url, { id: '90' })).toMatchObject({ status: 400 })
    expect(await cio.track('PUT', url, { id: 'new-id', b: 2 })).toMatchObject(taken)
    expect(await cio.person('old-id')).toBeNull()
    expect((await cio.person('new-id')).attributes).toEqual({ a: 1, b: 2 })
    expect(await cio.track('PUT', url, { c: 3 })).toMatchObject(taken)
    expect((await cio.person('new-id')).attributes.c).toBe(3)
  })

  test('a cio_id of nobody is dropped, and so is one of another workspace', async () => {
    const before = await cio.countRows()
    for (const id of ['cio_00ffffff', 'cio_ffffffffffffffff']) {
      expect(await cio.track('PUT', `${v1}/${id}`, { a: 1 })).toMatchObject(taken)
      expect(await cio.track('POST', `${v1}/${id}/events`, { name: 'a' })).toMatchObject(taken)
    }
    expect(await cio.countRows()).toEqual(before)
    const other = await cio.createWorkspaceWithApp()
    const basic = `site:${other.secretKey}`
    await cio.track('PUT', `${v1}/${await cioId('90')}`, { stolen: true }, { basic })
    expect((await cio.person('90')).attributes.stolen).toBeUndefined()
  })

  test('a public key moves nobody to another id', async () => {
    const basic = `site:${cio.publicKey}`
    await cio.track('PUT', `${v1}/victim%40example.com`, { a: 1 })
    await cio.track('PUT', `${v1}/thief`, { email: 'victim@example.com' }, { basic })
    expect(await cio.person('victim@example.com')).toMatchObject({ attributes: { a: 1 } })
    const answer = await cio.track('PUT', `${v1}/victim%40example.com`, { id: 'x' }, { basic })
    expect(answer).toMatchObject(taken)
    expect(await cio.person('victim@example.com')).toMatchObject({ attributes: { a: 1 } })
  })
})

describe('devices', () => {
  test('are registered with attributes as text, and deleted by person and token', async () => {
    const token = randomToken()
    const attributes = { device_os: 17.4, push_enabled: true, theme: { dark: true } }
    const device = { id: token, platform: 'iOS', last_used: 1_700_000_000, attributes }
    expect(await cio.track('PUT', `${v1}/dev1/devices`, { device })).toMatchObject(taken)
    expect(await cio.device(token)).toMatchObject({
      person_id: 'dev1',
      platform: 'ios',
      last_used: 1_700_000_000,
      attributes: {
        device_os: '17.4',
        push_enabled: 'true',
        theme: { dark: true },
        _last_status: '',
      },
    })
    expect(await cio.track('DELETE', `${v1}/other/devices/${token}`)).toMatchObject(taken)
    expect(await cio.device(token)).not.toBeNull()
    expect(await cio.track('DELETE', `${v1}/dev1/devices/${token}`, {})).toMatchObject(taken)
    expect(await cio.device(token)).toBeNull()
    expect(await cio.track('DELETE', `${v1}/dev1/devices/${token}`)).toMatchObject(taken)
  })

  test('take attributes beside id and platform, as some clients write them', async () => {
    const token = randomToken()
    const device = { id: token, platform: 'ios', primary: true, app_version: 4 }
    await cio.track('PUT', `${v1}/dev2/devices`, { device: { ...device, attributes: null } })
    expect((await cio.device(token)).attributes).toMatchObject({ primary: true, app_version: '4' })
    const both = { ...device, attributes: { primary: false } }
    await cio.track('PUT', `${v1}/dev2/devices`, { device: both })
    expect((await cio.device(token)).attributes).toMatchObject({ primary: false })
  })

  test.each([
    ['text', '1700000000', 1_700_000_000],
    ['zero', 0, 0],
    ['null', null, null],
    ['nothing', '', null],
  ])('take last_used as %s', async (_name, lastUsed, expected) => {
    const token = randomToken()
    const before = Math.floor(Date.now() / 1000)
    await cio.track('PUT', `${v1}/dev3/devices`, {
      device: { id: token, platform: 'ios', last_used: lastUsed },
    })
    const { last_used } = await cio.device(token)
    if (expected === null) expect(last_used).toBeGreaterThanOrEqual(before)
    else expect(last_used).toBe(expected)
  })

  test('move from A to B as the older SDKs switch people', async () => {
    const device = { id: randomToken(), platform: 'iOS', last_used: null, attributes: {} }
    await cio.track('PUT', `${v1}/sw-a`, {})
    await cio.track('PUT', `${v1}/sw-a/devices`, { device })
    await cio.track('DELETE', `${v1}/sw-a/devices/${device.id}`)
    await cio.track('PUT', `${v1}/sw-b`, {})
    await cio.track('PUT', `${v1}/sw-b/devices`, { device })
    // The deletion that got no answer is sent again.
    await cio.track('DELETE', `${v1}/sw-a/devices/${device.id}`)
    expect(await cio.device(device.id)).toMatchObject({ person_id: 'sw-b' })
  })

  test.each([
    ['no device', {}, 'device must be an object'],
    ['no token', { device: { platform: 'ios' } }, 'device.id is required'],
    ['no platform', { device: { id: randomToken() } }, 'device.platform is required'],
    ['a platform of none', { device: { id: randomToken(), platform: 'tv' } }, 'device.platform'],
    ['a token that is none', { device: { id: 'zz zz', platform: 'ios' } }, 'device.id'],
    [
      'attributes of no sort',
      { device: { id: randomToken(), platform: 'ios', attributes: [1] } },
      'device.attributes',
    ],
    [
      'a push_enabled that is neither',
      { device: { id: randomToken(), platform: 'ios', push_enabled: 'perhaps' } },
      'device.attributes.push_enabled',
    ],
  ])('%s is 400 that names the field, and stores nothing', async (_name, body, message) => {
    const before = await cio.countRows()
    const answer = await cio.track('PUT', `${v1}/bad/devices`, body)
    expect(answer).toMatchObject({
      status: 400,
      body: { meta: { errors: [expect.stringContaining(message)] } },
    })
    expect(await cio.countRows()).toEqual(before)
  })

  test('a token of Android, and one of 4,096 letters, fit into a path', async () => {
    const long = `${'a'.repeat(22)}:${'b'.repeat(4073)}`
    for (const id of [androidToken, long]) {
      await cio.track('PUT', `${v1}/dev4/devices`, { device: { id, platform: 'android' } })
      expect(await cio.device(id)).not.toBeNull()
      const url = `${v1}/dev4/devices/${encodeURIComponent(id)}`
      expect(await cio.track('DELETE', url)).toMatchObject(taken)
      expect(await cio.device(id)).toBeNull()
    }
  })

  test('go to the app whose id is the site id, where the workspace has several', async () => {
    const { createApp } = await import('@pushkeep/store')
    const other = await cio.createWorkspaceWithApp()
    const second = await createApp(cio.database, other.workspaceNo, 'second')
    const put = (site: string, id: string) =>
      cio.track(
        'PUT',
        `${v1}/multi/devices`,
        { device: { id, platform: 'ios' } },
        { basic: `${site}:${other.secretKey}` },
      )
    const token = randomToken()
    expect(await put('legacy-site-id', token)).toMatchObject({
      status: 400,
      body: { meta: { errors: ['site_id must be given: the workspace has several apps'] } },
    })
    expect(await put(second.id, token)).toMatchObject(taken)
    const read = await cio.call('GET', `/v1/devices/${token}`, undefined, { key: other.secretKey })
    expect(read.body).toMatchObject({ app_id: second.id })
    const url = `${v1}/multi/devices/${token}`
    await cio.track('DELETE', url, undefined, { basic: `legacy:${other.secretKey}` })
    const gone = await cio.call('GET', `/v1/devices/${token}`, undefined, { key: other.secretKey })
    expect(gone.status).toBe(404)
    expect(await put('00000000-0000-7000-8000-000000000000', token)).toMatchObject({ status: 400 })
  })
})

describe('events', () => {
  test('are stored for the person with all that they say', async () => {
    const data = { price: 3, nested: [{ a: null }] }
    const event = {
      name: ' bought ',
      data,
      timestamp: 1_700_000_000,
      id: '01JDM00000000000000000000A',
    }
    expect(await cio.track('POST', `${v1}/ev1/events`, event)).toMatchObject(taken)
    expect(await cio.track('POST', `${v1}/ev1/events`, event)).toMatchObject(taken)
    await cio.track('POST', `${v1}/ev1/events`, { name: '/home', type: 'page', data: null })
    await cio.track('POST', `${v1}/ev1/events`, {
      name: 'Home',
      type: 'screen',
      timestamp: '1700000001',
    })
    expect(await cio.events('ev1')).toMatchObject([
      {
        name: 'bought',
        type: 'event',
        timestamp: '2023-11-14T22:13:20.000Z',
        id: event.id,
        properties: data,
      },
      { name: 'Home', type: 'screen', timestamp: '2023-11-14T22:13:21.000Z' },
      { name: '/home', type: 'page', properties: {} },
    ])
  })

  test('of an anonymous id become the person’s who is identified under it', async () => {
    await cio.track('POST', '/api/v1/events', { name: 'looked', anonymous_id: 'browser-1' })
    await cio.track('PUT', `${v1}/ev2`, { anonymous_id: 'browser-1' })
    await cio.track('PUT', `${v1}/ev3`, { anonymous_id: 'browser-1' })
    expect(await cio.events('ev2')).toMatchObject([{ name: 'looked', anonymous_id: 'browser-1' }])
    expect(await cio.events('ev3')).toEqual([])
  })

  test.each([
    ['no name', {}, 'name is required'],
    ['a blank name', { name: '  ' }, 'name must not be blank'],
    ['a name over 100 bytes', { name: 'é'.repeat(51) }, 'name must be at most 100 bytes'],
    ['another type', { name: 'a', type: 'click' }, 'type'],
    ['data that are no hash', { name: 'a', data: 'x' }, 'event data must be a hash'],
    ['100 kB of data', { name: 'a', data: { a: 'x'.repeat(100_000) } }, 'data must be at most'],
    ['a time in ms', { name: 'a', timestamp: 1_700_000_000_000 }, 'timestamp'],
    ['no object', [], 'body must be an object'],
  ])('%s is 400 that says what is wrong', async (_name, body, message) => {
    const answer = await cio.track('POST', `${v1}/ev4/events`, body)
    expect(answer).toMatchObject({
      status: 400,
      body: { meta: { errors: expect.arrayContaining([expect.stringContaining(message)]) } },
    })
  })

  test('an event of nobody is refused', async () => {
    for (const anonymous_id of [undefined, '', null]) {
      const answer = await cio.track('POST', '/api/v1/events', { name: 'a', anonymous_id })
      expect(answer).toMatchObject({
        status: 400,
        body: { meta: { errors: [expect.stringContaining('anonymous_id')] } },
      })
    }
  })
})

describe('attributes within the limits of the original', () => {
  test.each([
    ['a text over 1,000 bytes', { a: 'é'.repeat(501) }, 'a must be at most 1000 bytes'],
    ['a name over 150 bytes', { ['k'.repeat(151)]: 1 }, 'key over 150 bytes'],
    [
      '301 attributes',
      Object.fromEntries(Array.from({ length: 301 }, (_, n) => [`k${n}`, n])),
      'at most 300 keys',
    ],
    ['relationships', { cio_relationships: { action: 'add_relationships' } }, 'cio_relationships'],
    ['no object', [1], 'body must be an object'],
  ])('%s is 400 and changes nothing', async (_name, body, message) => {
    const before = await cio.countRows()
    const answer = await cio.track('PUT', `${v1}/limits`, body)
    expect(answer).toMatchObject({
      status: 400,
      body: { meta: { errors: [expect.stringContaining(message)] } },
    })
    expect(await cio.countRows()).toEqual(before)
  })

  test('an id over 150 bytes is 400', async () => {
    const answer = await cio.track('PUT', `${v1}/${'x'.repeat(151)}`, {})
    expect(answer).toMatchObject({
      status: 400,
      body: { meta: { errors: ['identifier must be at most 150 bytes'] } },
    })
  })
})

test('the region is ours, with the address by which we were called', async () => {
  const answer = await cio.track('GET', '/api/v1/accounts/region', undefined, {
    headers: { host: 'push.example.com' },
  })
  expect(answer).toMatchObject({
    status: 200,
    body: { url: 'http://push.example.com', region: 'us', environment_id: cio.workspaceNo },
  })
})

test.each([
  ['/api/v1/segments/3/add_customers?id_type=id', { ids: ['1'] }],
  ['/api/v1/segments/3/remove_customers', { ids: ['1'] }],
  ['/api/v1/forms/f/submit', { data: { email: 'a@b' } }],
  ['/unsubscribe/delivery', { unsubscribe: true }],
  ['/api/v1/cio_deliveries/events', { type: 'in_app', payload: {} }],
])('what Pushkeep has not is refused in words: %s', async (path, body) => {
  const answer = await cio.track('POST', path, body)
  expect(answer).toMatchObject({
    status: 400,
    body: { meta: { errors: [expect.stringContaining('Pushkeep has no such thing')] } },
  })
})

test('an unknown route is 404 in the words of the API', async () => {
  expect(await cio.track('GET', '/api/v1/nonsense')).toMatchObject({
    status: 404,
    body: { meta: { error: 'there is no such route' } },
  })
})

describe('keys', () => {
  const routes: ['GET' | 'PUT' | 'POST' | 'DELETE', string, object?][] = [
    ['PUT', `${v1}/k1`, {}],
    ['PUT', `${v1}/k1/devices`, { device: { id: randomToken(), platform: 'ios' } }],
    ['DELETE', `${v1}/k1/devices/${randomToken()}`],
    ['POST', `${v1}/k1/events`, { name: 'a' }],
    ['POST', '/api/v1/events', { name: 'a', anonymous_id: 'x' }],
  ]
  const secret: typeof routes = [
    ['DELETE', `${v1}/k1`],
    ['POST', `${v1}/k1/suppress`, {}],
    ['POST', `${v1}/k1/unsuppress`, {}],
    ['POST', '/api/v1/merge_customers', { primary: { id: '1' }, secondary: { id: '2' } }],
    ['GET', '/api/v1/accounts/region'],
  ]

  test.each([...routes, ...secret])(
    '%s %s is 401 without a valid one',
    async (method, path, body) => {
      for (const basic of [null, 'site:key', `site:sk_${'x'.repeat(43)}`]) {
        const answer = await cio.track(method, path, body, { basic })
        expect(answer).toMatchObject({ status: 401, body: { meta: { error: expect.any(String) } } })
      }
    },
  )

  test.each(routes)(
    '%s %s takes that of an app, and tells it nothing',
    async (method, path, body) => {
      const answer = await cio.track(method, path, body, { basic: `site:${cio.publicKey}` })
      expect(answer).toMatchObject(taken)
    },
  )

  test.each(secret)('%s %s is 403 with that of an app', async (method, path, body) => {
    const answer = await cio.track(method, path, body, { basic: `site:${cio.publicKey}` })
    expect(answer).toMatchObject({
      status: 403,
      body: { meta: { error: 'this route needs a secret key' } },
    })
  })

  test('URL-safe base64 is read as well', async () => {
    const pair = `site>>>???:${cio.secretKey}`
    const authorization = `Basic ${Buffer.from(pair).toString('base64url')}`
    expect(authorization).toMatch(/[-_]/)
    const answer = await cio.track(
      'PUT',
      `${v1}/k2`,
      {},
      { basic: null, headers: { authorization } },
    )
    expect(answer).toMatchObject(taken)
  })

  test('a key that may only read changes nothing', async () => {
    const { createKey } = await import('@pushkeep/store')
    const { workspaceNo, database } = cio
    const reader = await createKey(database, {
      workspaceNo,
      appNo: null,
      kind: 'secret',
      name: 'reader',
      role: 'read',
    })
    const answer = await cio.track('PUT', `${v1}/k3`, {}, { basic: `site:${reader.key}` })
    expect(answer).toMatchObject({ status: 403, body: { meta: { error: expect.any(String) } } })
    expect(await cio.person('k3')).toBeNull()
  })
})
