import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApp, planSlice } from '../src/index.ts'
import { accept, createScene, insertDevice, insertPerson, report, type Scene } from './fixtures.ts'

let db: TestDatabase
let scene: Scene
/** ana's devices, the one used last first; the last one is of another app. */
let devices: { deviceNo: string; token: string }[]
let second: number
beforeAll(async () => {
  db = await createTestDatabase()
  scene = await createScene(db.database)
  const { appNo } = await createApp(db.database, scene.workspaceNo, 'second')
  second = appNo
  const personNo = await insertPerson(scene, 'ana')
  devices = [
    await insertDevice(scene, { personNo }),
    await insertDevice(scene, { personNo, platform: 'android' }),
    await insertDevice({ ...scene, appNo }, { personNo }),
  ]
  for (const [index, { deviceNo }] of devices.entries()) {
    const lastUsed = 1000 - index
    await db.database.query('update devices set last_used = $2 where device_no = $1', [
      deviceNo,
      lastUsed,
    ])
  }
  await insertDevice(scene, { personNo: await insertPerson(scene, 'ben') })
})
afterAll(() => db[Symbol.asyncDispose]())

type Audience = Parameters<typeof accept>[1]['to']

/** The devices that a message is planned for, by way of acceptance and of the planner. */
async function planned(to: Audience, appNo: number | null = null): Promise<string[][]> {
  const ways = [true, false].map(async (planNow) => {
    const id = await accept(scene, { to }, { planNow, appNo })
    const { messageNo } = await report(scene, id)
    if (!planNow) while (await planSlice(db.database, messageNo));
    const { rows } = await db.database.query<{ device_no: string }>(
      `select unnest(device_nos) as device_no from chunks where message_no = $1 order by 1`,
      [messageNo],
    )
    return rows.map((row) => row.device_no)
  })
  return Promise.all(ways)
}

const both = (...indexes: number[]) => {
  const nos = indexes.map((index) => devices[index]?.deviceNo)
  return [nos, nos]
}

test('of a person: all devices, or the one used last', async () => {
  expect(await planned({ person_id: 'ana' })).toEqual(both(0, 1, 2))
  expect(await planned({ person_id: 'ana', devices: 'all' })).toEqual(both(0, 1, 2))
  expect(await planned({ person_id: 'ana', devices: 'last_used' })).toEqual(both(0))
})

test('the one used last of the app that the message is for', async () => {
  const to = { person_id: 'ana', devices: 'last_used' } as const
  expect(await planned(to, second)).toEqual(both(2))
  expect(await planned({ person_id: 'ana' }, second)).toEqual(both(2))
})

test('of several people, the one that each used last', async () => {
  const [now] = await planned({ person_ids: ['ana', 'ben', 'nobody'], devices: 'last_used' })
  expect(now).toHaveLength(2)
  expect(now).toContain(devices[0]?.deviceNo)
})

test('a deleted device was not used last', async () => {
  const deleted = (at: string) =>
    db.database.query(`update devices set deleted_at = ${at} where device_no = $1`, [
      devices[0]?.deviceNo,
    ])
  await deleted('now()')
  expect(await planned({ person_id: 'ana', devices: 'last_used' })).toEqual(both(1))
  await deleted('null')
})

test('a token of a person, only if it is theirs', async () => {
  const token = devices[1]?.token ?? ''
  expect(await planned({ person_id: 'ana', token })).toEqual(both(1))
  expect(await planned({ token })).toEqual(both(1))
  expect(await planned({ person_id: 'ben', token })).toEqual(both())
  expect(await planned({ person_id: 'nobody', token })).toEqual(both())
})

test.each([
  { devices: 500, lane: 'transactional' },
  { devices: 501, lane: 'bulk' },
])(
  'a person with $devices devices has them in the $lane lane',
  async ({ devices: count, lane }) => {
    const id = `many-${count}`
    const personNo = await insertPerson(scene, id)
    await db.database.query(
      `insert into devices (app_no, token_hash, token, platform, provider, person_no, last_used,
                          registered_at, ordered_at)
     select $1, md5($2 || i)::uuid, $2 || i, 'ios', 'apns', $3, 1, now(), now()
     from generate_series(1, $4::int) i`,
      [scene.appNo, id, personNo, count],
    )
    for (const planNow of [true, false]) {
      const message = await accept(scene, { to: { person_id: id } }, { planNow })
      const { messageNo } = await report(scene, message)
      if (!planNow) while (await planSlice(db.database, messageNo));
      const { rows } = await db.database.query<{ size: number; lane: string; queue: string }>(
        `select sum(size)::int as size, min(lane) as lane, max(o.queue) as queue
       from chunks c join outbox o on o.ref = c.chunk_no and o.queue <> 'plan'
       where c.message_no = $1 group by lane`,
        [messageNo],
      )
      expect(rows).toEqual([{ size: count, lane, queue: `apns-${lane}` }])
    }
  },
)
