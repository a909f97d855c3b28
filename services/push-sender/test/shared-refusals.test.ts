import { createKey, createWorkspace } from '@pushkeep/store'
import { createTestDatabase } from '@pushkeep/testkit'
import { expect, inject, test } from 'vitest'
import { readyLine, spawnSender } from './spawn-sender.ts'

type Call = (url: string, key: string) => Promise<number>

const signIn: Call = async (url, key) => {
  const headers = { origin: url, 'content-type': 'application/json' }
  const body = JSON.stringify({ key })
  return (await fetch(`${url}/ops/api/session`, { method: 'POST', headers, body })).status
}

const callApi: Call = async (url, key) => {
  const headers = { authorization: `Bearer ${key}` }
  return (await fetch(`${url}/v1/messages`, { headers })).status
}

const redisUrl = inject('redisUrl') === null ? null : `${inject('redisUrl')}/10`
const stores: [string, Record<string, string>][] = [
  ['PostgreSQL', {}],
  ...(redisUrl === null
    ? []
    : [['Redis', { REDIS_URL: redisUrl }] satisfies [string, Record<string, string>]]),
]
const calls: [string, Call, string][] = [
  ['sign-ins', signIn, 'LIMIT_SIGN_INS'],
  ['wrong API keys', callApi, 'LIMIT_REFUSALS'],
]
const both = stores.flatMap(([store, env]) =>
  calls.map(([name, call, limit]) => [name, store, call, { ...env, [limit]: '10/h' }] as const),
)

test.each(both)(
  '%s that fail are counted by two processes together, through %s; a right key passes at both',
  async (_name, _store, call, env) => {
    await using database = await createTestDatabase()
    const { workspaceNo } = await createWorkspace(database.database, 'test')
    const owner = { workspaceNo, appNo: null, kind: 'secret' as const, name: 'test' }
    const { key } = await createKey(database.database, owner)
    const start = async () => {
      const settings = { DATABASE_URL: database.url, SENDER_PORT: '0', SENDER_OPS_PORT: '0' }
      return readyLine(spawnSender({ ...settings, ...env }).lines)
    }
    const [one, other] = await Promise.all([start(), start()])
    let tries = 0
    const guess = (url: string) => {
      tries += 1
      return call(url, `sk_${tries.toString(16).padStart(24, '0')}`)
    }
    const settled = async (operations: string) => {
      const text = await (await fetch(`${operations}/metrics`)).text()
      return Number(/^pushkeep_limit_settled_buckets_total (\d+)$/m.exec(text)?.[1] ?? 0)
    }
    for (let n = 0; n < 10; n += 1) expect(await guess(one.url)).toBe(401)
    expect(await guess(one.url)).toBe(429)
    await expect.poll(() => settled(one.operations_url), { timeout: 10_000 }).toBeGreaterThan(0)
    // Six of ten: less than half is left, so that the other process tells, and learns of the first ten.
    for (let n = 0; n < 6; n += 1) expect(await guess(other.url)).toBe(401)
    await expect.poll(() => settled(other.operations_url), { timeout: 10_000 }).toBeGreaterThan(0)
    expect(await guess(other.url)).toBe(429)
    for (const { url } of [one, other]) expect(await call(url, key)).toBe(200)
  },
  40_000,
)
