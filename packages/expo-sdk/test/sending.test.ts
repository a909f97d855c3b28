import { describe, expect, test } from 'vitest'
import type { Disturbance } from './fake-server.ts'
import { newPhone, sent } from './harness.ts'

const cut: Disturbance = { kind: 'cut' }
const lost: Disturbance = { kind: 'lost' }
const answer = (status: number, body?: object | string, headers = {}): Disturbance => ({
  kind: 'answer',
  status,
  body: typeof body === 'string' ? body : JSON.stringify(body ?? {}),
  headers,
})
const second = 1000
const minute = 60 * second

describe('when it sends', () => {
  test('calls about people and devices go within a second, events by the interval', async () => {
    const app = newPhone()
    await app.time.pass(second)
    await app.client.track('x')
    await app.time.pass(29 * second)
    expect(sent(app)).toHaveLength(0)
    await app.time.pass(second)
    expect(sent(app)).toHaveLength(1)
    await app.client.identify('ana')
    await app.time.pass(second)
    expect(sent(app)).toHaveLength(2)
  })

  test('a full batch goes at once', async () => {
    const app = newPhone({ flushAt: 3 })
    for (const name of ['a', 'b', 'c']) await app.client.track(name)
    await app.time.pass(1)
    expect(app.server.batches.map((batch) => batch.length)).toEqual([3])
  })

  test('in batches of a hundred at most and 200 kB, in the order of the calls', async () => {
    const app = newPhone()
    for (let n = 0; n < 250; n += 1) await app.client.track(`e${n}`)
    await app.client.flush()
    expect(app.server.batches.map((batch) => batch.length)).toEqual([100, 100, 50])
    expect(app.server.events.map(({ name }) => name)).toEqual(
      Array.from({ length: 250 }, (_, n) => `e${n}`),
    )
    for (let n = 0; n < 10; n += 1) await app.client.track('big', { text: 'x'.repeat(30_000) })
    await app.client.flush()
    expect(app.server.batches.slice(3).map((batch) => batch.length)).toEqual([6, 4])
  })

  test('says whose it is: key, library, ids, times', async () => {
    const app = newPhone({ library: { name: 'app', version: '1' } })
    await app.client.track('x')
    await app.client.flush()
    const [url, init] = app.server.requests[0] ?? []
    expect(url).toBe('https://push.example.com/v1/batch')
    expect(init).toMatchObject({
      method: 'POST',
      headers: { authorization: `Basic ${btoa('pk_test:')}`, 'content-type': 'application/json' },
    })
    expect(JSON.parse(init?.body ?? '')).toMatchObject({
      sentAt: '2026-01-01T00:00:00.000Z',
      context: { library: { name: 'app', version: '1' } },
      batch: [{ messageId: expect.any(String), timestamp: '2026-01-01T00:00:00.000Z' }],
    })
  })

  test.each([
    ['push.example.com', 'https://push.example.com'],
    ['push.example.com/v1', 'https://push.example.com'],
    ['push.example.com/push/v1/', 'https://push.example.com/push'],
    ['http://10.0.2.2:7001', 'http://10.0.2.2:7001'],
    ['HTTPS://push.example.com/', 'HTTPS://push.example.com'],
  ])('the host %s is %s', async (apiHost, base) => {
    const app = newPhone({ apiHost })
    await app.client.track('x')
    await app.client.flush()
    expect(app.server.requests[0]?.[0]).toBe(`${base}/v1/batch`)
  })

  test.each(['', 'ftp://x', 'https://', 'a b', 'https://u:p@host', 'host?x'])(
    'the host %j is refused',
    (apiHost) => {
      expect(() => newPhone({ apiHost })).toThrow(TypeError)
    },
  )
})

describe('times', () => {
  test('each call is later than the one before, whatever the clock does', async () => {
    const app = newPhone()
    await app.client.track('a')
    app.time.set(app.time.now() - 3_600_000)
    await app.client.track('b')
    app.relaunch()
    await app.client.track('c')
    await app.client.flush()
    const times = app.server.batches.flat().map(({ timestamp }) => timestamp)
    expect(times).toEqual([...times].sort())
    expect(new Set(times).size).toBe(3)
  })

  test('a clock that is an hour off is put right by the server’s', async () => {
    const app = newPhone()
    const hour = 60 * minute
    app.server.now = () => app.time.now() + hour
    await app.client.track('a')
    await app.client.flush()
    await app.client.track('b')
    await app.client.flush()
    const times = app.server.batches.flat().map(({ timestamp }) => Date.parse(timestamp))
    expect(times.map((time) => time - app.time.now())).toEqual([0, hour])
  })
})

describe('when the network or the server fails', () => {
  test('what was not answered is sent again under the same ids, and counts once', async () => {
    const app = newPhone()
    app.server.disturb = (count) => (count <= 2 ? lost : count === 3 ? cut : null)
    await app.client.identify('ana')
    await app.client.track('x')
    await app.time.pass(minute)
    expect(app.server.batches).toHaveLength(3)
    expect(new Set(app.server.batches.map((batch) => JSON.stringify(batch))).size).toBe(1)
    expect(app.server.stored().events).toEqual([['x', 'ana']])
    expect(app.errors).toEqual([])
  })

  test('waits longer each time, up to five minutes', async () => {
    const app = newPhone()
    app.server.disturb = () => cut
    await app.client.identify('ana')
    const waits: number[] = []
    for (let tries = 0; tries < 12; tries += 1) {
      const next = app.time.next ?? 0
      waits.push(next / second)
      await app.time.pass(next)
    }
    expect(waits).toEqual([0.5, 0.75, 1.5, 3, 6, 12, 24, 48, 96, 192, 225, 225])
  })

  test('flush tries at once, though the next try was set for later', async () => {
    const app = newPhone()
    app.server.disturb = (count) => (count <= 5 ? cut : null)
    await app.client.track('x')
    for (let tries = 0; tries < 5; tries += 1) await app.client.flush()
    expect(app.server.events).toHaveLength(0)
    await app.client.flush()
    expect(app.server.events).toHaveLength(1)
  })

  test.each([
    ['seconds', { 'retry-after': '120' }],
    ['a date', { 'retry-after': new Date(Date.UTC(2026, 0, 1, 0, 2)).toUTCString() }],
  ])('Retry-After in %s is kept, by flush too', async (_name, headers) => {
    const app = newPhone()
    app.server.disturb = (count) => (count === 1 ? answer(503, {}, headers) : null)
    await app.client.track('x')
    await app.client.flush()
    await app.client.identify('ana')
    await app.time.pass(119 * second)
    await app.client.flush()
    expect(app.server.requests).toHaveLength(1)
    await app.time.pass(3 * second)
    expect(app.server.events).toHaveLength(1)
  })

  test.each([
    ['429', answer(429)],
    ['500', answer(500, 'oops')],
    ['502 of a proxy', answer(502, '<html>')],
    ['404 of a wrong address', answer(404)],
    ['a login page of a hotel', answer(200, '<html>Room number?</html>')],
    ['a redirect', answer(302)],
    ['400 of somebody else', answer(400, '<html>')],
    ['400 of a gateway', answer(400, { message: 'Bad Request' })],
  ])('%s loses nothing', async (_name, disturbance) => {
    const app = newPhone()
    app.server.disturb = (count) => (count === 1 ? disturbance : null)
    await app.client.track('x')
    await app.client.flush()
    expect(app.server.events).toHaveLength(0)
    await app.time.pass(minute)
    expect(app.server.events).toHaveLength(1)
    expect(app.errors).toEqual([])
  })

  test('an answer that never comes is given up after the timeout', async () => {
    const app = newPhone({ requestTimeout: 10 })
    const { fetch } = app.server
    let isSilent = true
    app.server.fetch = fetch
    app.relaunch({
      engine: {
        ...app.time,
        now: app.time.now,
        random: () => 0.5,
        fetch: (...call) => (isSilent ? new Promise(() => {}) : fetch(...call)),
      },
    })
    await app.client.identify('ana')
    await app.time.pass(second)
    isSilent = false
    await app.time.pass(9 * second)
    expect(app.server.people.size).toBe(0)
    await app.time.pass(3 * second)
    expect(app.server.people.size).toBe(1)
  })

  test.each([401, 403])(
    '%d: calls wait, it is told once, and goes on with a key',
    async (status) => {
      const app = newPhone()
      let isKnown = false
      app.server.disturb = () => (isKnown ? null : answer(status, { code: 'unauthorized' }))
      await app.client.track('x')
      await app.time.pass(30 * minute)
      expect(app.errors).toEqual([{ kind: 'unauthorized', status, message: expect.any(String) }])
      const tries = app.server.requests.length
      expect(tries).toBeLessThan(12)
      isKnown = true
      await app.time.pass(5 * minute)
      expect(app.server.events).toHaveLength(1)
    },
  )
})

describe('what is refused', () => {
  test('an item with a verdict of its own is dropped and told, the others are taken', async () => {
    const app = newPhone()
    app.server.refuse = (item) =>
      item.type === 'track' && item.event === 'bad'
        ? { code: 'invalid', detail: 'properties.x is not fine' }
        : null
    for (const name of ['a', 'bad', 'c']) await app.client.track(name, { secret: 'hush' })
    await app.client.flush()
    await app.client.flush()
    expect(app.server.events.map(({ name }) => name)).toEqual(['a', 'c'])
    expect(app.errors).toEqual([
      {
        kind: 'refused',
        code: 'invalid',
        message: 'properties.x is not fine',
        call: 'track bad',
        fields: [],
      },
    ])
    expect(JSON.stringify(app.errors)).not.toContain('hush')
    expect(app.server.batches).toHaveLength(1)
  })

  test('a batch that is refused whole is divided until the culprit stands alone', async () => {
    const app = newPhone()
    app.server.disturb = () => {
      const body = app.server.requests.at(-1)?.[1].body ?? ''
      return body.includes('"bad"') ? answer(400, { code: 'malformed', detail: 'no' }) : null
    }
    for (let n = 0; n < 50; n += 1) await app.client.track(n === 37 ? 'bad' : `e${n}`)
    await app.client.flush()
    expect(app.server.events).toHaveLength(49)
    expect(app.errors).toMatchObject([{ kind: 'refused', code: 'malformed', call: 'track bad' }])
    expect(app.server.requests.length).toBeLessThan(20)
  })

  test('413: fewer at a time; what is too large by itself is dropped and told', async () => {
    const app = newPhone()
    app.server.disturb = () => {
      const body = app.server.requests.at(-1)?.[1].body ?? ''
      return body.length > 5000 ? answer(413, { code: 'body_too_large' }) : null
    }
    for (let n = 0; n < 40; n += 1) await app.client.track(`e${n}`, { text: 'x'.repeat(300) })
    await app.client.track('huge', { text: 'x'.repeat(6000) })
    await app.client.track('last')
    await app.client.flush()
    expect(app.server.events).toHaveLength(41)
    expect(app.errors).toMatchObject([{ kind: 'refused', code: 'too_large', call: 'track huge' }])
  })
})

describe('a full queue', () => {
  test('drops the oldest events, tells it, and keeps people and devices', async () => {
    const app = newPhone({ queueMax: 5 })
    app.server.disturb = () => cut
    await app.client.registerDeviceToken('T1')
    await app.client.identify('ana')
    for (let n = 0; n < 6; n += 1) await app.client.track(`e${n}`)
    await app.client.clearIdentify()
    expect(app.errors.filter(({ kind }) => kind === 'queue-full')).toMatchObject(
      ['e0', 'e1', 'e2', 'e3', 'e4'].map((name) => ({ call: `track ${name}` })),
    )
    app.server.disturb = () => null
    await app.time.pass(minute)
    expect(app.server.stored()).toMatchObject({
      people: { ana: {} },
      devices: { T1: { owner: null } },
      events: [['e5', 'ana']],
    })
  })

  test('of nothing but logins, the last one counts', async () => {
    const app = newPhone({ queueMax: 10 })
    app.server.disturb = () => cut
    await app.client.registerDeviceToken('T1')
    for (let n = 0; n < 40; n += 1) await app.client.identify(`p${n}`)
    app.server.disturb = () => null
    await app.time.pass(10 * minute)
    expect(app.server.stored().devices).toMatchObject({ T1: { owner: 'p39' } })
    expect(app.server.people.has('p39')).toBe(true)
  })
})

test('an onError that throws harms nobody', async () => {
  const app = newPhone({
    onError: () => {
      throw new Error('of the app')
    },
  })
  app.server.refuse = () => ({ code: 'invalid', detail: 'no' })
  await app.client.track('x')
  await app.client.flush()
  app.server.refuse = () => null
  await app.client.track('y')
  await app.client.flush()
  expect(app.server.events).toMatchObject([{ name: 'y' }])
})
