import { gzipSync } from 'node:zlib'
import { createLogger } from '@pushkeep/runtime'
import { connect } from '@pushkeep/store'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { buildApp } from '../src/app.ts'
import { type Customerio, createCustomerio, taken } from './customerio.ts'
import { randomToken } from './registry.ts'

let cio: Customerio

beforeAll(async () => {
  cio = await createCustomerio()
})

afterAll(() => cio[Symbol.asyncDispose]())

const now = Date.now()
const iso = (secondsAgo: number) => new Date(now - secondsAgo * 1000).toISOString()
const device = (token: string, type = 'ios') => ({ device: { token, type } })
const created = (owner: object, token: string, rest: object = {}) => ({
  type: 'track',
  event: 'Device Created or Updated',
  context: device(token),
  properties: {},
  ...owner,
  ...rest,
})
const deleted = (owner: object, token: string | null, rest: object = {}) => ({
  type: 'track',
  event: 'Device Deleted',
  context: token === null ? {} : device(token),
  ...owner,
  ...rest,
})
const strict = { headers: { 'x-strict-mode': '1' } }
const told = { headers: { 'x-item-verdicts': 'true' } }

describe('single messages', () => {
  test.each([
    ['', ''],
    ['/v1', '/v1'],
  ])('by their names, below %j', async (base) => {
    const userId = `single${base}`
    const traits = { plan: 'pro', nested: { a: [1] } }
    const post = (path: string, body: object) => cio.pipelines(`${base}/${path}`, body)
    const common = { userId, anonymousId: 'a' }
    expect(await post('identify', { ...common, traits })).toMatchObject(taken)
    expect(await post('track', { ...common, event: 'bought', properties: { n: 1 } })).toMatchObject(
      taken,
    )
    expect(await post('page', { ...common, properties: { url: 'https://a/b' } })).toMatchObject(
      taken,
    )
    expect(await post('screen', { ...common, name: 'Home' })).toMatchObject(taken)
    expect(await post('group', { ...common, groupId: 7, traits: { name: 'G' } })).toMatchObject(
      taken,
    )
    expect(await post('alias', { userId, previousId: 'before' })).toMatchObject(taken)
    expect((await cio.person(userId)).attributes).toEqual(traits)
    expect(await cio.events(userId)).toMatchObject([
      { type: 'event', name: 'bought', properties: { n: 1 } },
      { type: 'page', name: 'https://a/b' },
      { type: 'screen', name: 'Home' },
      { type: 'group', name: '7', properties: { name: 'G' } },
    ])
  })

  test('by the first letter, as browsers post them: text/plain, with the key in the body', async () => {
    const send = (path: string, body: object) =>
      cio.pipelines(
        `/v1/${path}`,
        JSON.stringify({ writeKey: cio.publicKey, userId: 'browser', ...body }),
        { basic: null, headers: { 'content-type': 'text/plain' } },
      )
    const answer = await send('i', { traits: { a: 1 } })
    expect(answer).toMatchObject(taken)
    expect(answer.headers['access-control-allow-origin']).toBe('*')
    await send('t', { event: 'clicked' })
    await send('p', { name: 'Start' })
    await send('s', { name: 'Screen' })
    await send('g', { groupId: 'g' })
    await send('a', { previousId: 'p' })
    expect((await cio.person('browser')).attributes).toEqual({ a: 1 })
    expect(await cio.eventNames('browser')).toEqual(['clicked', 'Start', 'Screen', 'g'])
  })
})

describe('the batch of a phone', () => {
  const body = (items: object[]) => JSON.stringify({ writeKey: cio.publicKey, batch: items })

  test.each(['/b', '/v1/b', '/batch', '/v1/batch'])(
    'is taken at %s: with the key in the body, plain or packed, as text or JSON',
    async (path) => {
      const userId = `phone ${path}`
      for (const [n, headers] of [
        { 'content-type': 'text/plain' },
        { 'content-type': 'application/json; charset=utf-8' },
        { 'content-type': 'text/plain', 'content-encoding': 'gzip' },
        { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      ].entries()) {
        const text = body([{ type: 'track', event: `e${n}`, userId, timestamp: iso(10 - n) }])
        const sent = 'content-encoding' in headers ? gzipSync(text) : text
        expect(await cio.pipelines(path, sent, { basic: null, headers })).toMatchObject(taken)
      }
      expect(await cio.eventNames(userId)).toEqual(['e0', 'e1', 'e2', 'e3'])
    },
  )

  test('without a valid key is 401, strict or not', async () => {
    for (const writeKey of [undefined, 'nonsense', `pk_${'x'.repeat(43)}`, 5]) {
      const text = JSON.stringify({ writeKey, batch: [] })
      for (const headers of [{}, strict.headers]) {
        expect(await cio.pipelines('/v1/b', text, { basic: null, headers })).toMatchObject({
          status: 401,
          body: { meta: { errors: [expect.any(String)] } },
        })
      }
    }
  })

  test.each([
    ['no JSON', '{', {}],
    ['no list', '{"batch":{}}', {}],
    ['no body', '', {}],
    ['not gzip', '{"batch":[]}', { 'content-encoding': 'gzip' }],
    ['too large', `{"batch":[{"a":"${'x'.repeat(520_000)}"}]}`, {}],
    ['a bomb', gzipSync(`{"a":"${'x'.repeat(20_000_000)}"}`), { 'content-encoding': 'gzip' }],
    ['another encoding', '{"batch":[]}', { 'content-encoding': 'br' }],
  ])('that is %s is 400: no phone repeats it', async (_name, payload, headers) => {
    const answer = await cio.pipelines('/v1/b', payload, {
      headers: { 'content-type': 'application/json', ...headers },
    })
    expect(answer).toMatchObject({
      status: 400,
      body: { meta: { errors: [expect.any(String)] }, code: expect.any(String) },
    })
  })
})

describe('devices', () => {
  test('are registered with their properties as attributes', async () => {
    const token = randomToken()
    const properties = {
      device_os: 34,
      device_model: 'Pixel 8',
      push_enabled: true,
      network_wifi: true,
      theme: { dark: [true] },
    }
    const sent = created({ userId: 'd1' }, token, {
      properties,
      context: device(token, 'iOS'),
      timestamp: iso(3600),
    })
    expect(await cio.batch([sent])).toMatchObject(taken)
    expect(await cio.device(token)).toMatchObject({
      person_id: 'd1',
      platform: 'ios',
      last_used: Math.floor((now - 3_600_000) / 1000),
      attributes: {
        device_os: '34',
        device_model: 'Pixel 8',
        push_enabled: 'true',
        network_wifi: true,
        theme: { dark: [true] },
        _last_status: '',
      },
    })
  })

  test('are found in the properties, as the documentation writes them', async () => {
    const token = randomToken()
    const properties = { device: { token, type: 'ios' }, theme: 'dark' }
    await cio.batch([created({ userId: 'd2' }, token, { context: {}, properties })])
    const { attributes } = await cio.device(token)
    expect(attributes).toEqual({ theme: 'dark', push_enabled: 'true', _last_status: '' })
    await cio.batch([
      deleted({ userId: 'd2' }, null, { properties: { device: { token, type: 'ios' } } }),
    ])
    expect(await cio.device(token)).toBeNull()
  })

  test('come of events about devices alone, whatever the context of others says', async () => {
    const token = randomToken()
    const context = device(token)
    await cio.batch([
      { type: 'identify', userId: 'd3', traits: {}, context },
      { type: 'track', event: 'x', userId: 'd3', context },
      { type: 'screen', name: 'y', userId: 'd3', context },
    ])
    expect(await cio.device(token)).toBeNull()
    await cio.batch([created({ userId: 'd3' }, token), deleted({ userId: 'd3' }, token)])
    await cio.batch([{ type: 'screen', name: 'z', userId: 'd3', context }])
    expect(await cio.device(token)).toBeNull()
  })

  test('follow who is identified: A, then B, then nobody', async () => {
    const token = randomToken()
    await cio.batch([
      created({ anonymousId: 'x1' }, token, { timestamp: iso(60) }),
      { type: 'identify', userId: 'sw-a', anonymousId: 'x1', timestamp: iso(50) },
      created({ userId: 'sw-a', anonymousId: 'x1' }, token, { timestamp: iso(49) }),
    ])
    expect(await cio.device(token)).toMatchObject({ person_id: 'sw-a' })
    await cio.batch([
      deleted({ userId: 'sw-a' }, token, { timestamp: iso(40) }),
      { type: 'identify', userId: 'sw-b', anonymousId: 'x1', timestamp: iso(39) },
      created({ userId: 'sw-b', anonymousId: 'x1' }, token, { timestamp: iso(38) }),
    ])
    expect(await cio.device(token)).toMatchObject({ person_id: 'sw-b' })
    // A file with A's last heartbeat and logout, uploaded again: older than B's registration.
    await cio.batch([
      created({ userId: 'sw-a' }, token, { timestamp: iso(45) }),
      deleted({ userId: 'sw-a' }, token, { timestamp: iso(40) }),
    ])
    expect(await cio.device(token)).toMatchObject({ person_id: 'sw-b' })
    await cio.batch([deleted({ userId: 'sw-b' }, token, { timestamp: iso(20) })])
    expect(await cio.device(token)).toBeNull()
    await cio.batch([created({ anonymousId: 'x2' }, token, { timestamp: iso(10) })])
    expect(await cio.device(token)).toMatchObject({ person_id: null })
  })

  test('are nobody’s once the phone says so, also where the logout is late', async () => {
    const token = randomToken()
    await cio.batch([created({ userId: 'out' }, token, { timestamp: iso(60) })])
    await cio.batch([created({ anonymousId: 'next' }, token, { timestamp: iso(30) })])
    await cio.batch([deleted({ userId: 'out' }, token, { timestamp: iso(40) })])
    expect(await cio.device(token)).toMatchObject({ person_id: null })
  })

  test('that are deleted before anybody heard of them stay so', async () => {
    const token = randomToken()
    await cio.batch([deleted({ userId: 'early' }, token, { timestamp: iso(10) })])
    await cio.batch([created({ userId: 'early' }, token, { timestamp: iso(20) })])
    expect(await cio.device(token)).toBeNull()
  })

  test('the user "null" of Android is nobody', async () => {
    const token = randomToken()
    await cio.batch([created({ anonymousId: 'a' }, token, { timestamp: iso(9) })])
    await cio.batch([deleted({ userId: 'null' }, token, { timestamp: iso(8) })])
    expect(await cio.device(token)).toBeNull()
    await cio.batch([{ type: 'track', event: 'e', userId: 'null', anonymousId: 'a' }])
    expect(await cio.person('null')).toBeNull()
  })

  test('a deletion without a token is taken and means nothing', async () => {
    expect(await cio.batch([deleted({ userId: 'd4' }, null)], told)).toMatchObject(taken)
  })

  test('a new token of the same installation retires the one before', async () => {
    const [before, after] = [randomToken(), randomToken()]
    const of = (token: string) => ({
      context: { device: { token, type: 'ios', installationId: 'inst-1', environment: 'sandbox' } },
    })
    await cio.batch([created({ userId: 'd5' }, before, of(before))])
    await cio.batch([created({ userId: 'd5' }, after, of(after))])
    expect(await cio.device(before)).toBeNull()
    expect(await cio.device(after)).toMatchObject({
      installation_id: 'inst-1',
      environment: 'sandbox',
    })
  })

  test('wait where the key does not tell the app: 503, for this is ours to mend', async () => {
    const { createApp, createKey } = await import('@pushkeep/store')
    const { workspaceNo } = await cio.createWorkspaceWithApp()
    await createApp(cio.database, workspaceNo, 'second')
    const name = 'both'
    const key = await createKey(cio.database, { workspaceNo, appNo: null, kind: 'public', name })
    const asked = { basic: `${key.key}:` }
    const answer = await cio.batch([created({ userId: 'd6' }, randomToken())], asked)
    expect(answer).toMatchObject({ status: 503, body: { code: 'app_unknown' } })
    expect(answer.headers['retry-after']).toBe('60')
    expect(await cio.batch([{ type: 'identify', userId: 'd6' }], asked)).toMatchObject(taken)
  })
})

describe('people', () => {
  test('a nobody becomes the first who is identified, never the second', async () => {
    await cio.batch([
      { type: 'track', event: 'installed', anonymousId: 'n1' },
      { type: 'identify', anonymousId: 'n1', traits: { colour: 'red', plan: 'free' } },
    ])
    await cio.batch([
      { type: 'identify', userId: 'n-a', anonymousId: 'n1', traits: { plan: 'pro' } },
      { type: 'track', event: 'of a', userId: 'n-a', anonymousId: 'n1' },
      { type: 'identify', userId: 'n-b', anonymousId: 'n1', traits: {} },
      { type: 'track', event: 'of b', userId: 'n-b', anonymousId: 'n1' },
    ])
    expect((await cio.person('n-a')).attributes).toEqual({ colour: 'red', plan: 'pro' })
    expect(await cio.eventNames('n-a')).toEqual(['installed', 'of a'])
    expect((await cio.person('n-b')).attributes).toEqual({})
    expect(await cio.eventNames('n-b')).toEqual(['of b'])
  })

  test('an alias says the same, and never joins two people', async () => {
    await cio.batch([
      { type: 'track', event: 'before', anonymousId: 'al-1' },
      { type: 'identify', userId: 'al-other', traits: { a: 1 } },
      { type: 'alias', userId: 'al-x', previousId: 'al-1' },
      { type: 'alias', userId: 'al-x', previousId: 'al-other' },
    ])
    expect(await cio.eventNames('al-x')).toEqual(['before'])
    expect((await cio.person('al-other')).attributes).toEqual({ a: 1 })
  })

  test('ids may be numbers, and traits an address alone', async () => {
    await cio.batch([{ type: 'identify', userId: 42, traits: { n: 1 } }])
    expect((await cio.person('42')).attributes).toEqual({ n: 1 })
    await cio.batch([{ type: 'identify', traits: { email: 'Only@example.com', a: 1 } }])
    await cio.batch([{ type: 'identify', traits: { email: 'only@example.com', b: 1 } }])
    expect((await cio.person('Only@example.com')).attributes).toEqual({
      email: 'only@example.com',
      a: 1,
      b: 1,
    })
  })

  test('traits that arrive late overwrite nothing that was said later', async () => {
    const identify = (traits: object, seconds: number) =>
      cio.batch([{ type: 'identify', userId: 'late', traits, timestamp: iso(seconds) }])
    await identify({ plan: 'pro' }, 10)
    await identify({ plan: 'free', city: 'Oslo' }, 20)
    expect((await cio.person('late')).attributes).toEqual({ plan: 'pro', city: 'Oslo' })
  })

  test('are deleted, suppressed and freed by events of a secret key alone', async () => {
    const event = (name: string) => ({ type: 'track', event: name, userId: 'gone' })
    const secret = { basic: `${cio.secretKey}:` }
    await cio.batch([{ type: 'identify', userId: 'gone', traits: { a: 1 } }])
    for (const name of ['User Deleted', 'User Suppressed', 'User Unsuppressed']) {
      expect(await cio.batch([event(name)])).toMatchObject({
        status: 400,
        body: { code: 'forbidden', message: `batch.0: ${name} needs a secret key` },
      })
      expect((await cio.pipelines('/v1/track', event(name))).status).toBe(403)
    }
    expect((await cio.person('gone')).attributes).toEqual({ a: 1 })
    expect(await cio.batch([event('User Suppressed')], secret)).toMatchObject(taken)
    expect(await cio.person('gone')).toMatchObject({ suppressed: true, attributes: {} })
    await cio.batch([event('User Unsuppressed')], secret)
    expect(await cio.person('gone')).toMatchObject({ suppressed: false })
    await cio.batch([event('User Deleted')], secret)
    expect(await cio.person('gone')).toBeNull()
  })
})

describe('a message id', () => {
  test('is honoured once, whatever it stood for', async () => {
    const token = randomToken()
    const items = [
      { type: 'identify', userId: 'once', traits: { n: 1 }, messageId: 'm1' },
      { type: 'track', event: 'e', userId: 'once', messageId: 'm2' },
      created({ userId: 'once' }, token, { messageId: 'm3' }),
    ]
    expect(await cio.batch(items)).toMatchObject(taken)
    await cio.batch([
      { type: 'identify', userId: 'once', traits: { n: 2 } },
      deleted({ userId: 'once' }, token),
    ])
    expect(await cio.batch(items)).toMatchObject(taken)
    expect(await cio.pipelines('/v1/track', { ...items[1] })).toMatchObject(taken)
    expect((await cio.person('once')).attributes).toEqual({ n: 2 })
    expect(await cio.eventNames('once')).toEqual(['e'])
    expect(await cio.device(token)).toBeNull()
  })

  test('whose answer is lost counts once, also where both come at the same time', async () => {
    const items = Array.from({ length: 50 }, (_, n) => ({
      type: 'track',
      event: `e${n}`,
      userId: 'crowd',
      messageId: `crowd ${n}`,
    }))
    const answers = await Promise.all(Array.from({ length: 8 }, () => cio.batch(items)))
    for (const answer of answers) expect(answer).toMatchObject(taken)
    expect(await cio.events('crowd')).toHaveLength(50)
  })
})

describe('what is wrong', () => {
  const bad: [string, object, string][] = [
    ['no type', {}, 'type must be one of'],
    ['another type', { type: 'dance' }, 'type must be one of'],
    ['nobody', { type: 'identify', userId: '', anonymousId: null }, 'userId is required'],
    ['nobody’s event', { type: 'track', event: 'a', userId: 'null' }, 'userId is required'],
    ['no event', { type: 'track', userId: 'x' }, 'event is required'],
    ['a name over its limit', { type: 'track', userId: 'x', event: 'é'.repeat(501) }, 'event must'],
    ['traits of no sort', { type: 'identify', userId: 'x', traits: [] }, 'traits must'],
    ['a NUL', { type: 'identify', userId: 'x', traits: { a: '\u0000' } }, 'traits.a must'],
    [
      'properties of no sort',
      { type: 'track', userId: 'x', event: 'a', properties: 1 },
      'properties',
    ],
    ['an id that is none', { type: 'track', userId: {}, event: 'a' }, 'userId must'],
    ['no time', { type: 'track', userId: 'x', event: 'a', timestamp: 'noon' }, 'timestamp must'],
    [
      'a long message id',
      { type: 'track', userId: 'x', event: 'a', messageId: 'x'.repeat(256) },
      'messageId must',
    ],
    ['no token', created({ userId: 'x' }, ''), 'context.device.token is required'],
    ['a token that is none', created({ userId: 'x' }, 'zz zz'), 'context.device.token must'],
    [
      'no platform',
      created({ userId: 'x' }, randomToken(), { context: { device: { token: randomToken() } } }),
      'context.device.type is required',
    ],
    [
      'a push_enabled that is neither',
      created({ userId: 'x' }, randomToken(), { properties: { push_enabled: 'maybe' } }),
      'properties.push_enabled must',
    ],
    [
      'in-app content',
      { type: 'track', event: 'Report Content Event', anonymousId: 'x' },
      'Report Content Event',
    ],
    [
      'a live activity',
      { type: 'track', event: 'Live Notification Token', userId: 'x' },
      'Live Notification Token',
    ],
    ['an object', { type: 'track', event: 'Object Deleted', userId: 'x' }, 'Object Deleted'],
    [
      'too large',
      { type: 'track', event: 'a', userId: 'x', properties: { a: 'x'.repeat(33_000) } },
      'message must be at most 32 kB',
    ],
  ]

  test.each(bad)(
    '%s: told in strict mode, or by item; else 200; the others count',
    async (name, item, message) => {
      const good = { type: 'track', event: name, userId: 'good' }
      const before = await cio.countRows()
      const verdicts = await cio.batch([{ messageId: 'bad', ...item }], told)
      expect(verdicts).toMatchObject({
        status: 200,
        body: { errors: [{ code: expect.any(String), detail: expect.stringContaining(message) }] },
      })
      const inStrictMode = await cio.batch([item], strict)
      expect(inStrictMode).toMatchObject({
        status: 400,
        body: { meta: { errors: [expect.stringContaining(`batch.0: ${message}`)] } },
      })
      expect(await cio.countRows()).toEqual(before)
      expect(await cio.batch([item, good])).toMatchObject(taken)
      expect(await cio.batch([good, item], strict)).toMatchObject({
        status: 400,
        body: { meta: { errors: [expect.stringContaining(`batch.1: ${message}`)] } },
      })
      const names = (await cio.eventNames('good'))?.filter((one) => one === name)
      expect(names).toHaveLength(2)
    },
  )

  test('is logged by its code, and nothing of what it said', async () => {
    cio.lines.length = 0
    await cio.batch([{ type: 'identify', userId: 'secret-user', traits: 'secret-trait' }])
    const line = cio.lines.find((one) => one.includes('pipelines.refused'))
    expect(JSON.parse(line ?? '{}')).toMatchObject({ refused: 1, of: 1, codes: ['invalid'] })
    expect(cio.lines.join('')).not.toContain('secret-')
  })

  test('attributes that grow too large cost the other messages nothing', async () => {
    const part = (n: number) => ({
      type: 'identify',
      userId: 'large',
      traits: { [`part${n}`]: 'x'.repeat(30_000) },
    })
    const items = [
      ...Array.from({ length: 10 }, (_, n) => part(n)),
      { type: 'track', event: 'e', userId: 'large' },
    ]
    const answer = await cio.batch(items, { ...told, basic: `${cio.secretKey}:` })
    expect(answer.status).toBe(200)
    const details = answer.body.errors.map((error: { detail: string }) => error.detail)
    expect(details.length).toBeGreaterThan(0)
    for (const detail of details) expect(detail).toContain('over 256 KiB')
    const { attributes } = await cio.person('large')
    expect(Object.keys(attributes)).toHaveLength(10 - details.length)
    expect(await cio.eventNames('large')).toEqual(['e'])
  })

  test('how much is stored of a person is more than a public key is told; a token is kept', async () => {
    const token = randomToken()
    const parts = Array.from({ length: 10 }, (_, n) => ({ [`part${n}`]: 'x'.repeat(30_000) }))
    const traits = parts.map((part) => ({ type: 'identify', userId: 'vast', traits: part }))
    expect(await cio.batch(traits, told)).toMatchObject(taken)
    const device = (properties: object) => ({
      type: 'track',
      event: 'Device Created or Updated',
      userId: 'vast',
      properties,
      context: { device: { token, type: 'ios' } },
    })
    for (const part of parts) expect(await cio.batch([device(part)], told)).toMatchObject(taken)
    expect(Object.keys((await cio.person('vast')).attributes).length).toBeLessThan(10)
    expect(await cio.device(token)).toMatchObject({ person_id: 'vast' })
    expect(cio.lines.join('')).toContain('attributes.left_out')
  })
})

describe('settings', () => {
  const settingsBy = (app: typeof cio.app, base: string, host: string) =>
    app.inject({ url: `${base}/projects/${cio.publicKey}/settings`, headers: { host } })
  const told = (apiHost?: string) => ({
    integrations: {
      'Customer.io Data Pipelines': {
        apiKey: cio.publicKey,
        ...(apiHost === undefined ? {} : { apiHost }),
      },
    },
  })

  test.each(['/v1', ''])(
    'name the destination with its key and the host that is configured, below %j',
    async (base) => {
      const database = connect({ url: cio.url, name: 'test', connectionsMax: 2 })
      const logger = createLogger({ name: 'test', level: 'silent' })
      const app = buildApp({ database, logger, publicHost: 'push.example.com:8443' })
      onTestFinished(async () => {
        await app.close()
        await database.end()
      })
      for (const host of ['push.example.com:8443', 'evil.example', 'localhost']) {
        const answer = await settingsBy(app, base, host)
        expect(answer.statusCode).toBe(200)
        expect(answer.json()).toEqual(told('push.example.com:8443/v1'))
      }
    },
  )

  test.each([
    'evil.example',
    'push.example.com:8443',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.evil.example',
    '169.254.169.254',
    '0.0.0.0',
    '[::2]:7001',
    'xn--lcalhost-55a',
  ])('repeat no Host that may be a stranger’s: %s', async (host) => {
    const answer = await settingsBy(cio.app, '/v1', host)
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual(told())
  })

  test.each(['localhost:7001', 'LOCALHOST', '127.0.0.1:7001', '127.1.2.3', '[::1]:7001'])(
    'name this machine, where the request does: %s',
    async (host) => {
      const answer = await settingsBy(cio.app, '/v1', host)
      expect(answer.json()).toEqual(told(`${host}/v1`))
    },
  )

  test('tell of no key that is none', async () => {
    for (const key of ['nonsense', `pk_${'x'.repeat(43)}`]) {
      const answer = await cio.call('GET', `/v1/projects/${key}/settings`, undefined, { key: null })
      expect(answer).toMatchObject({ status: 404, body: { code: 'unknown_key' } })
    }
  })
})

test('no token, key, person or attribute was logged', async () => {
  const token = randomToken()
  await cio.batch([
    created({ userId: 'logged-person' }, token, { properties: { a: 'logged-attr' } }),
  ])
  await cio.call('GET', `/v1/projects/${cio.publicKey}/settings`, undefined, { key: null })
  const log = cio.lines.join('')
  expect(log).toContain('"route":"/v1/batch"')
  for (const word of [token, cio.publicKey, cio.secretKey, 'logged-person', 'logged-attr']) {
    expect(log).not.toContain(word)
  }
})
