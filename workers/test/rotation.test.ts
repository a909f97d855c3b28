import { randomBytes } from 'node:crypto'
import {
  createApp,
  loadCredentials,
  putCredentials,
  resealCredentials,
  sealedCredentials,
} from '@pushkeep/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkplace, type Workplace } from './workplace.ts'

let at: Workplace

beforeAll(async () => {
  at = await openWorkplace()
})

afterAll(() => at[Symbol.asyncDispose]())

test('the encryption key is rotated while workers send, and the old one is not needed then', async () => {
  const old = at.encryptionKey
  const next = randomBytes(32)
  const appNo = await at.addApp('app')
  const phones = await at.addPhones(appNo, 40)
  const [first, second] = [
    at.start({ encryptionKey: [old, next] }),
    at.start({ encryptionKey: [old, next] }),
  ]
  const sendAll = async () => {
    const ids = await Promise.all(
      phones.map(({ person }) => at.accept({ to: { person_id: person } })),
    )
    for (const id of ids) expect(await at.done(id)).toMatchObject({ sent: 1, pending: 0 })
  }
  const [resealed] = await Promise.all([resealCredentials(at.database, [next, old]), sendAll()])
  expect(resealed).toEqual({ resealed: 2, unopened: [] })
  expect(await sealedCredentials(at.database, [next, old])).toEqual({
    current: 2,
    earlier: 0,
    unknown: 0,
  })
  // One that starts in between knows both, too.
  await first.stop()
  at.start({ encryptionKey: [old, next] })
  await sendAll()
  await second.stop()
  await at.stopAll()
  at.start({ encryptionKey: next })
  await sendAll()
  const { rows } = await at.database.query('select from app_providers where paused_at is not null')
  expect(rows).toEqual([])
  await at.stopAll()
})

test('many apps are sealed anew in batches; what no key opens is named and left as it was', async () => {
  const [old, next, lost] = [randomBytes(32), randomBytes(32), randomBytes(32)]
  await at.database.query('delete from app_providers')
  const apps: number[] = []
  for (let n = 0; n < 230; n += 1) {
    const { appNo } = await createApp(at.database, at.workspaceNo, `app ${n}`)
    const one = { appNo, provider: 'fcm', settings: {}, secret: `secret ${n}` } as const
    await putCredentials(at.database, n === 150 ? lost : old, one)
    apps.push(appNo)
  }
  const lostApp = apps[150] ?? 0
  const expected = { resealed: 229, unopened: [{ appNo: lostApp, name: 'fcm' }] }
  // Two at a time, and a replacement in between: each text is under the first key in the end.
  const replaced = apps[7] ?? 0
  const both = await Promise.all([
    resealCredentials(at.database, [next, old]),
    resealCredentials(at.database, [next, old]),
    putCredentials(at.database, next, {
      appNo: replaced,
      provider: 'fcm',
      settings: {},
      secret: 'newer',
    }),
  ])
  const done = both[0].resealed + both[1].resealed
  expect([228, 229]).toContain(done)
  expect(both[0].unopened).toEqual(expected.unopened)
  expect(await sealedCredentials(at.database, [next, old])).toEqual({
    current: 229,
    earlier: 0,
    unknown: 1,
  })
  for (const [n, appNo] of apps.entries()) {
    if (appNo === lostApp) continue
    const stored = await loadCredentials(at.database, next, appNo, 'fcm')
    expect(stored?.secret).toBe(appNo === replaced ? 'newer' : `secret ${n}`)
  }
  expect((await loadCredentials(at.database, lost, lostApp, 'fcm'))?.secret).toBe('secret 150')
  expect(await resealCredentials(at.database, [next, old])).toMatchObject({ resealed: 0 })
})
