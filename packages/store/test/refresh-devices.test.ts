import type { Attributes } from '@pushkeep/domain'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inTransaction } from '../src/connect.ts'
import type { Registration } from '../src/index.ts'
import { refreshDevices } from '../src/refresh-devices.ts'
import { itemOf, registerLocked } from '../src/registrations.ts'
import { changeOf, createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>

beforeAll(async () => {
  registry = await createRegistry()
  for (const personId of ['ann', 'bob']) await registry.register({ token: randomToken(), personId })
  await registry.register({ token: randomToken(), personId: 'blocked' })
  await registry.database.query(`update people set blocked_at = now() where id = 'blocked'`)
})

afterAll(() => registry[Symbol.asyncDispose]())

const minute = 60_000
const start = 1_763_900_000_000
const hashes = ['aa'.repeat(32), 'bb'.repeat(32)]

/** How a row may stand, but for its token and times. */
interface Standing {
  person: string | null
  attributes: Record<string, string>
  pushPermission: boolean
  installation: string | null
  environment: string | null
  reader: string | null
  status: string
  failures: number
  isDead: boolean
  isDeleted: boolean
}

const usual: Standing = {
  person: 'ann',
  attributes: { plan: 'pro' },
  pushPermission: true,
  installation: null,
  environment: null,
  reader: null,
  status: 'sent',
  failures: 0,
  isDead: false,
  isDeleted: false,
}

/** A row that stands so, with a token of its own; `twin` keeps installations apart. */
async function stored(standing: Standing, twin: string): Promise<string> {
  const token = randomToken()
  const { person, installation } = standing
  await registry.register({ token, installationId: installation && `${installation} ${twin}` })
  await registry.database.query(
    `update devices
     set person_no = (select person_no from people where id = $2), attributes = $3,
         push_permission = $4, environment = $5, reader_hash = decode($6, 'hex'), last_status = $7,
         status_at = case when $7 <> '' then now() end, failures = $8,
         dead_at = case when $9 then now() end, dead_reason = case when $9 then 'Unregistered' end,
         deleted_at = case when $10 then now() end,
         installation_id = case when not $10 then installation_id end,
         ordered_at = to_timestamp($11::float8 / 1000), epoch = 4
     where token = $1`,
    [
      token,
      person,
      standing.attributes,
      standing.pushPermission,
      standing.environment,
      standing.reader,
      standing.status,
      standing.failures,
      standing.isDead,
      standing.isDeleted,
      start,
    ],
  )
  return token
}

async function rowOf(token: string) {
  const { rows } = await registry.database.query(
    `select p.id, platform, provider, environment, split_part(installation_id, ' ', 1) as installation,
            encode(reader_hash, 'hex') as reader, d.attributes, push_permission, epoch, last_status,
            status_at, failures, dead_at is null as lives, dead_reason, deleted_at is null as "isThere",
            -- what is now differs between twins
            case when ordered_at < now() - interval '1 hour' then ordered_at end as "orderedAt",
            case when last_used < 1000 then last_used end as "lastUsed",
            registered_at > now() - interval '1 hour' as "isNow"
     from devices d left join people p using (person_no) where token = $1`,
    [token],
  )
  return rows[0]
}

function refresh(call: Partial<Registration> & { token: string }) {
  return refreshDevices(registry.database, [itemOf(registry.complete(call))])
}

/** Often what makes a refresh: one of many conditions that fails hides the others. */
function mostly<T>(usually: T, ...others: T[]) {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant(usually) },
    { weight: 2, arbitrary: fc.constantFrom(...others) },
  )
}

const standings = fc.record<Standing>({
  person: mostly<string | null>('ann', 'bob', null),
  attributes: fc.constantFrom<Record<string, string>[]>({}, { plan: 'pro', theme: 'dark' }),
  pushPermission: mostly(true, false),
  installation: mostly<string | null>('phone', null),
  environment: fc.constantFrom('sandbox', null),
  reader: mostly<string | null>(hashes[0] ?? null, hashes[1] ?? null, null),
  status: fc.constantFrom('', 'sent', 'suppressed'),
  failures: mostly(0, 2),
  isDead: mostly(false, true),
  isDeleted: mostly(false, true),
})

const calls = fc.record({
  personId: mostly<string | null>('ann', 'bob', 'blocked', 'new', null),
  isAnonymous: fc.boolean(),
  platform: mostly<'ios' | 'android'>('ios', 'android'),
  environment: fc.constantFrom<('sandbox' | 'production' | null)[]>('sandbox', 'production', null),
  installationId: mostly<string | null>('phone', 'other', null),
  readerHash: mostly<string | null>(null, ...hashes),
  proof: fc.record({
    isSecretKey: mostly(false, true),
    personIds: mostly<string[]>([], ['ann'], ['bob']),
  }),
  change: mostly<Attributes>(
    { theme: 'light' },
    {},
    { plan: '' },
    { push_enabled: false },
    { push_enabled: true, theme: 'light' },
  ).map(changeOf),
  lastUsed: fc.constantFrom(7, null),
  at: mostly<number | null>(null, start - minute, start, start + minute),
})

test('a refresh leaves a row as the decision under lock does, or alone', async () => {
  let refreshed = 0
  const property = fc.asyncProperty(standings, calls, async (standing, call) => {
    const [fast, locked] = await Promise.all([stored(standing, 'fast'), stored(standing, 'locked')])
    const callOf = (token: string, twin: string) => {
      const installationId = call.installationId && `${call.installationId} ${twin}`
      return registry.complete({ ...call, installationId, token })
    }
    const before = await rowOf(fast)
    const kinds = await registry.kinds(fast)
    const [result] = await refreshDevices(registry.database, [itemOf(callOf(fast, 'fast'))])
    if (!result) {
      expect(await rowOf(fast)).toEqual(before)
    } else {
      refreshed += 1
      const item = itemOf(callOf(locked, 'locked'))
      const { results } = await registerLocked(registry.database, [item])
      expect(await rowOf(fast)).toEqual(await rowOf(locked))
      expect(viewed(result)).toEqual(viewed(results[0]))
      expect(result.device).toEqual(await registry.device(fast))
    }
    expect(await registry.kinds(fast)).toEqual(kinds)
    await registry.database.query('update devices set installation_id = null where app_no = $1', [
      registry.appNo,
    ])
  })
  await fc.assert(property, { numRuns: 300 })
  expect(refreshed).toBeGreaterThan(10)
})

/** A result but for what differs between twins. */
function viewed(result: Awaited<ReturnType<typeof refresh>>[number] | undefined) {
  if (!result?.device) throw new Error('there is no device')
  const { installationId, registeredAt: _, lastUsed, ...device } = result.device
  return {
    applied: result.applied,
    device: {
      ...device,
      installation: installationId?.split(' ')[0],
      lastUsed: lastUsed < 1000 ? lastUsed : null,
    },
  }
}

test('what most apps say at each start is a refresh', async () => {
  const token = await stored({ ...usual, installation: 'i', reader: hashes[0] ?? null }, 'usual')
  const [result] = await refresh({
    token,
    personId: 'ann',
    installationId: 'i usual',
    readerHash: hashes[0] ?? null,
    change: changeOf({ app_version: '2' }),
    at: Date.now(),
  })
  expect(result).toMatchObject({
    applied: true,
    device: { personId: 'ann', attributes: { plan: 'pro', app_version: '2' }, lastStatus: '' },
  })
})

test('a phone of somebody who is blocked is left to the decision under lock', async () => {
  const token = await stored({ ...usual, person: 'blocked' }, 'blocked')
  expect(await refresh({ token, personId: 'blocked' })).toEqual([null])
})

test('a device that dies while the refresh waits for its row is left to the decision under lock', async () => {
  const token = await stored(usual, 'dying')
  const waiting = await inTransaction(registry.database, async (sql) => {
    await sql.query(
      `update devices set dead_at = now(), dead_reason = 'Unregistered' where token = $1`,
      [token],
    )
    const refreshing = refresh({ token, personId: 'ann' })
    await registry.waiting(1)
    return { refreshing }
  })
  expect(await waiting.refreshing).toEqual([null])
  expect(await rowOf(token)).toMatchObject({ lives: false, epoch: 4 })
})

test('a device that moves while the refresh waits for its row does not come back', async () => {
  const token = await stored(usual, 'moving')
  const waiting = await inTransaction(registry.database, async (sql) => {
    await sql.query(
      `update devices set person_no = (select person_no from people where id = 'bob'), epoch = 5
       where token = $1`,
      [token],
    )
    const refreshing = refresh({ token, personId: 'ann' })
    await registry.waiting(1)
    return { refreshing }
  })
  expect(await waiting.refreshing).toEqual([null])
  expect(await rowOf(token)).toMatchObject({ id: 'bob', epoch: 5 })
})

test('a refresh that waited for an outcome counts as later than it, or is not one', async () => {
  const token = await stored(usual, 'told')
  const waiting = await inTransaction(registry.database, async (sql) => {
    await sql.query(
      `update devices set last_status = 'sent', status_at = clock_timestamp() where token = $1`,
      [token],
    )
    const refreshing = refresh({ token, personId: 'ann' })
    await registry.waiting(1)
    const { rows } = await sql.query<{ now: Date }>('select clock_timestamp() as now')
    return { refreshing, now: rows[0]?.now.getTime() ?? Number.NaN }
  })
  const [result] = await waiting.refreshing
  // Versions of PostgreSQL differ in whether a row that moved within its page is still found by its place.
  if (!result) expect(await rowOf(token)).toMatchObject({ last_status: 'sent', epoch: 4 })
  else {
    expect(result.device?.registeredAt.getTime()).toBeGreaterThanOrEqual(waiting.now)
    expect(await rowOf(token)).toMatchObject({ last_status: '', status_at: null, epoch: 5 })
  }
})

test('a call does not overtake an earlier one about its token', async () => {
  const token = await stored(usual, 'twice')
  const called = [{ personId: 'ann', change: changeOf({ plan: '' }) }, { personId: 'ann' }, {}]
  const items = called.map((call) => itemOf(registry.complete({ token, ...call })))
  expect(await refreshDevices(registry.database, items)).toEqual([null, null, null])
})
