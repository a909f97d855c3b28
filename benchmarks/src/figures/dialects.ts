import { createHash } from 'node:crypto'
import { type LoadRequest, load } from '../load.ts'
import { median, type Report } from '../report.ts'
import type { Scene } from '../scene.ts'

/** Messages in one batch of the Pipelines API. */
const batchSize = 100

/** A way to say something of many people: so many items a request. */
interface Way {
  name: string
  items: number
  connections: number
  authorization: (scene: Scene) => string
  /** The n-th request; `mark` is part of every id. */
  request: (n: number, mark: string) => LoadRequest
}

/** One thing said natively, and as clients of Customer.io say it. */
interface Comparison {
  what: string
  native: Way
  dialects: Way[]
  /** How many items of a mark are stored. */
  stored: string
}

const bearer = (scene: Scene) => `Bearer ${scene.local.secret_key}`
const basic = ({ local }: Scene) =>
  `Basic ${Buffer.from(`site:${local.secret_key}`).toString('base64')}`
const writeKey = ({ local }: Scene) =>
  `Basic ${Buffer.from(`${local.public_key}:`).toString('base64')}`

const single = { items: 1, connections: 64 }
const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const idOf = (mark: string, n: number) => `${mark}-${n}`
const tokenOf = (mark: string, n: number) => hash(`token ${mark} ${n}`)

const traits = (n: number) => ({
  first_name: `Name ${n}`,
  plan: n % 3 === 0 ? 'pro' : 'free',
  visits: n,
  address: { city: 'Oslo', zip: String(n % 10_000) },
})
const deviceAttributes = { app_version: '4.2.0', device_os: '19.1', push_enabled: 'true' }
const properties = (n: number) => ({ price: n % 100, currency: 'EUR', items: [{ id: n }] })

/** A message as an SDK writes it, of the n-th person. */
function message(mark: string, n: number, rest: object): object {
  return {
    userId: idOf(mark, n),
    anonymousId: hash(`phone ${mark} ${n}`).slice(0, 36),
    messageId: hash(`message ${mark} ${n}`).slice(0, 36),
    timestamp: new Date().toISOString(),
    ...rest,
  }
}

function batchOf(type: string, item: (mark: string, n: number) => object): Way {
  return {
    name: `CDP batch of ${type}`,
    items: batchSize,
    connections: 8,
    authorization: writeKey,
    request: (n, mark) => {
      const batch = Array.from({ length: batchSize }, (_, i) => item(mark, n * batchSize + i))
      return { method: 'POST', path: '/v1/batch', body: JSON.stringify({ batch }) }
    },
  }
}

const comparisons: Comparison[] = [
  {
    what: 'identify',
    native: {
      ...single,
      name: 'native identify',
      authorization: bearer,
      request: (n, mark) => ({
        method: 'PUT',
        path: `/v1/people/${idOf(mark, n)}`,
        body: JSON.stringify({ attributes: traits(n) }),
      }),
    },
    dialects: [
      {
        ...single,
        name: 'Track v1 identify',
        authorization: basic,
        request: (n, mark) => ({
          method: 'PUT',
          path: `/api/v1/customers/${idOf(mark, n)}`,
          body: JSON.stringify(traits(n)),
        }),
      },
      {
        ...single,
        name: 'Track v1 identify with an address',
        authorization: basic,
        request: (n, mark) => ({
          method: 'PUT',
          path: `/api/v1/customers/${idOf(mark, n)}`,
          body: JSON.stringify({ ...traits(n), email: `${idOf(mark, n)}@example.com` }),
        }),
      },
      batchOf('identify', (mark, n) => message(mark, n, { type: 'identify', traits: traits(n) })),
    ],
    stored: `select count(*)::int as n from people where id like $1 and attributes ? 'plan'`,
  },
  {
    what: 'device',
    native: {
      ...single,
      name: 'native registration',
      authorization: bearer,
      request: (n, mark) => ({
        method: 'PUT',
        path: `/v1/people/${idOf(mark, n)}/devices`,
        body: JSON.stringify({
          device: { id: tokenOf(mark, n), platform: 'ios', attributes: deviceAttributes },
        }),
      }),
    },
    dialects: [
      {
        ...single,
        name: 'Track v1 device',
        authorization: basic,
        request: (n, mark) => ({
          method: 'PUT',
          path: `/api/v1/customers/${idOf(mark, n)}/devices`,
          body: JSON.stringify({
            device: { id: tokenOf(mark, n), platform: 'ios', attributes: deviceAttributes },
          }),
        }),
      },
      batchOf('Device Created', (mark, n) =>
        message(mark, n, {
          type: 'track',
          event: 'Device Created or Updated',
          context: { device: { token: tokenOf(mark, n), type: 'ios' } },
          properties: deviceAttributes,
        }),
      ),
    ],
    stored: `select count(*)::int as n from devices join people p using (person_no) where p.id like $1`,
  },
  {
    what: 'event',
    native: {
      ...single,
      name: 'native event',
      authorization: bearer,
      request: (n, mark) => ({
        method: 'POST',
        path: `/v1/people/${idOf(mark, n)}/events`,
        body: JSON.stringify({
          name: 'bought',
          id: hash(`message ${mark} ${n}`).slice(0, 36),
          properties: properties(n),
        }),
      }),
    },
    dialects: [
      batchOf('track', (mark, n) =>
        message(mark, n, { type: 'track', event: 'bought', properties: properties(n) }),
      ),
    ],
    stored: `select count(*)::int as n from person_events join people p using (person_no)
             where p.id like $1`,
  },
]

interface Rate {
  perSecond: number
  p99Ms: number
}

/** Says it of so many new people this way; items a second, once it is known that all are stored. */
async function rateOf(
  scene: Scene,
  way: Way,
  count: number,
  mark: string,
  stored: string,
): Promise<Rate> {
  const { perSecond, statuses, p99Ms } = await load({
    url: scene.local.registry_url,
    connections: way.connections,
    count: count / way.items,
    headers: { authorization: way.authorization(scene), 'content-type': 'application/json' },
    request: (n) => way.request(n, mark),
  })
  const { rows } = await scene.database.query<{ n: number }>(stored, [`${mark}-%`])
  if (rows[0]?.n !== count) {
    throw new Error(`${way.name}: ${rows[0]?.n} of ${count} stored, ${JSON.stringify(statuses)}`)
  }
  return { perSecond: perSecond * way.items, p99Ms }
}

const rounds = 3

/**
 * How fast the dialects are per item, against the native route that does the same: in turn, so that
 * all meet the same machine; the first round warms up, the median of the others counts.
 */
export async function dialects(
  scene: Scene,
  report: Report,
  { items, seed }: { items: number; seed: string },
): Promise<void> {
  for (const { what, native, dialects: others, stored } of comparisons) {
    const ways = [native, ...others]
    const rates = new Map<string, Rate[]>(ways.map((way) => [way.name, []]))
    for (let round = 0; round <= rounds; round += 1) {
      for (const [index, way] of ways.entries()) {
        const count = round === 0 ? Math.ceil(items / 4 / batchSize) * batchSize : items
        const mark = `${seed}-${what}-${round}-${index}`
        const rate = await rateOf(scene, way, count, mark, stored)
        if (round > 0) rates.get(way.name)?.push(rate)
      }
    }
    const base = rates.get(native.name) ?? []
    await report.add({
      figure: native.name,
      value: median(base.map(({ perSecond }) => perSecond)),
      unit: '1/s',
      detail: { p99Ms: median(base.map(({ p99Ms }) => p99Ms)) },
    })
    for (const { name } of others) {
      const own = rates.get(name) ?? []
      const ratios = own.map(({ perSecond }, n) => perSecond / (base[n]?.perSecond ?? Number.NaN))
      await report.add({
        figure: `${name} / ${native.name}`,
        value: median(ratios),
        unit: '',
        bar: { least: 0.8 },
        detail: {
          ratios,
          perSecond: median(own.map(({ perSecond }) => perSecond)),
          p99Ms: median(own.map(({ p99Ms }) => p99Ms)),
        },
      })
    }
  }
}
