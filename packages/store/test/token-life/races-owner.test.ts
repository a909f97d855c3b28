import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findPerson, recordOutcomes, untieDevice } from '../../src/index.ts'
import { accept, iosToken } from '../fixtures.ts'
import {
  createStage,
  dead,
  nextWindow,
  only,
  outcome,
  rounds,
  type Stage,
  takeChunk,
} from './stage.ts'

let db: TestDatabase
let stage: Stage

beforeAll(async () => {
  db = await createTestDatabase(20)
  stage = await createStage(db.database)
})

afterAll(() => db[Symbol.asyncDispose]())

const minute = 60_000

test('a token that moves from A to B while a send to A is queued gets nothing of it', async () => {
  for (const round of rounds) {
    const token = iosToken()
    const [a, b] = [`a${round}`, `b${round}`]
    await stage.register({ token, personId: a })
    const id = await accept(stage, { to: { person_id: a } })
    const [hand] = await Promise.all([
      takeChunk(stage, id),
      stage.registerElsewhere({ token, personId: b }),
    ])
    const recipient = only(hand.chunk.recipients)
    // Claimed before the move, or not sent at all.
    expect(recipient.withheld === null ? 1 : recipient.withheld).toBe(
      recipient.epoch === 1 ? 1 : 'reassigned',
    )
    await recordOutcomes(db.database, [outcome(hand, recipient)])
    expect(await stage.device(token)).toMatchObject({ personId: b, lastStatus: '' })
    const after = await accept(stage, { to: { person_id: a } })
    expect(await stage.counts(after)).toMatchObject({ recipients: 0 })
  }
})

test('what was planned for A and is claimed after the move is withheld as reassigned', async () => {
  const token = iosToken()
  await stage.register({ token, personId: 'a' })
  const id = await accept(stage, { to: { person_id: 'a' } })
  await stage.register({ token, personId: 'b' })
  const hand = await takeChunk(stage, id)
  const recipient = only(hand.chunk.recipients)
  expect(recipient.withheld).toBe('reassigned')
  await recordOutcomes(db.database, [outcome(hand, recipient)])
  expect(await stage.counts(id)).toMatchObject({ recipients: 1, suppressed: 1, pending: 0 })
  expect(await stage.device(token)).toMatchObject({ lastStatus: '', pushEnabled: true })
})

test('a token that moves while its send is claimed keeps a clean slate, whatever comes back', async () => {
  for (const round of rounds) {
    const token = iosToken()
    const [a, b] = [`a${round}`, `b${round}`]
    await stage.register({ token, personId: a })
    const id = await accept(stage, { to: { person_id: a } })
    const hand = await takeChunk(stage, id)
    const recipient = only(hand.chunk.recipients)
    const recording = round % 2 ? outcome(hand, recipient) : dead(hand, recipient)
    await Promise.all([
      stage.register({ token, personId: b }),
      recordOutcomes(db.database, [recording]),
    ])
    const clean = { personId: b, lastStatus: '', pushEnabled: true }
    expect(await stage.device(token)).toMatchObject(clean)
    expect(await stage.counts(id)).toMatchObject({ recipients: 1, pending: 0 })
  }
})

test('a device untied during a send is not sent to from the next window on', async () => {
  for (const round of rounds) {
    const a = `untied${round}`
    const tokens = [iosToken(), iosToken(), iosToken()]
    for (const token of tokens) await stage.register({ token, personId: a })
    const id = await accept(stage, { to: { person_id: a } })
    const hand = await takeChunk(stage, id, 1)
    const untie = () =>
      Promise.all(tokens.map((token) => untieDevice(db.database, stage.change(token))))
    const [racing] = await Promise.all([nextWindow(stage, hand, 1), untie()])
    expect([null, 'reassigned']).toContain(only(racing).withheld)
    const last = only(await nextWindow(stage, hand, 1))
    expect(last.withheld).toBe('reassigned')
    const all = [...hand.chunk.recipients, ...racing, last]
    await recordOutcomes(
      db.database,
      all.map((one) => outcome(hand, one)),
    )
    const { recipients, sent, suppressed } = await stage.counts(id)
    expect([recipients, sent + suppressed]).toEqual([3, 3])
    const devices = await Promise.all(tokens.map(stage.device))
    expect(devices.map((device) => device?.personId)).toEqual([null, null, null])
    // To untie is not to register: what the provider accepted shows on the device.
    expect(devices.filter((device) => device?.lastStatus === 'sent')).toHaveLength(sent)
  }
})

test('of two identifies that race from one phone one owns the token, and the timeline knows which', async () => {
  for (const round of rounds) {
    const token = iosToken()
    const people = [`one${round}`, `two${round}`]
    const [one, two] = await Promise.all([
      stage.register({ token, personId: people[0] ?? null }),
      stage.registerElsewhere({ token, personId: people[1] ?? null }),
    ])
    const owner = (await stage.device(token))?.personId ?? ''
    expect(people).toContain(owner)
    expect([one.applied, two.applied]).toEqual([true, true])
    expect(await stage.told(token)).toEqual(['registered', 'moved'])
    const ids = await Promise.all(people.map((id) => accept(stage, { to: { person_id: id } })))
    const counts = await Promise.all(ids.map(stage.counts))
    expect(counts.map(({ recipients }) => recipients)).toEqual(
      people.map((id) => (id === owner ? 1 : 0)),
    )
  }
})

test('of two identifies with client times the newer owns the token, whichever comes first', async () => {
  for (const round of rounds) {
    const token = iosToken()
    const now = Date.now()
    const older = { token, personId: 'older', at: now - 2 * minute }
    const newer = { token, personId: 'newer', at: now - minute }
    await Promise.all([
      stage.register(round % 2 ? older : newer),
      stage.registerElsewhere(round % 2 ? newer : older),
    ])
    expect((await stage.device(token))?.personId).toBe('newer')
  }
})

test('an identify that waited on a phone and replays after a newer one changes nothing', async () => {
  const token = iosToken()
  const now = Date.now()
  const [old, change] = [
    now - 2 * minute,
    { set: { kept: 'old' }, remove: [], pushPermission: false },
  ]
  await stage.register({ token, personId: 'next', at: now - minute })
  const before = await stage.device(token)
  const replays = await Promise.all([
    stage.register({ token, personId: 'nobody yet', at: old, change }),
    stage.registerElsewhere({ token, personId: 'nobody yet', at: old, change }),
    untieDevice(db.database, { ...stage.change(token), at: old }),
  ])
  expect(replays.map((replay) => ('applied' in replay ? replay.applied : replay.kind))).toEqual([
    false,
    false,
    false,
  ])
  expect(await stage.device(token)).toEqual(before)
  expect(await findPerson(db.database, stage.person('nobody yet'))).toBeNull()
  expect(await stage.told(token)).toEqual(['registered'])
})

test('a late 410 on the old token does not touch the new one', async () => {
  for (const round of rounds) {
    const [old, fresh] = [iosToken(), iosToken()]
    const personId = `refreshed${round}`
    await stage.register({ token: old, personId, installationId: personId })
    const id = await accept(stage, { to: { person_id: personId } })
    const hand = await takeChunk(stage, id)
    const recording = dead(hand, only(hand.chunk.recipients))
    const refresh =
      round % 2 ? { token: fresh, previousToken: old } : { token: fresh, installationId: personId }
    await Promise.all([stage.register(refresh), recordOutcomes(db.database, [recording])])
    expect(await stage.device(fresh)).toMatchObject({ personId, lastStatus: '', pushEnabled: true })
    expect(await stage.device(old)).toBeNull()
    expect(await stage.counts(id)).toMatchObject({ recipients: 1, bounced: 1, pending: 0 })
    expect((await stage.told(old)).at(-1)).toMatch(/replaced|verdict_ignored/)
  }
})
