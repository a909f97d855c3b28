import { createHash } from 'node:crypto'
import { NewMessage } from '@pushkeep/domain'
import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  acceptMessage,
  connect,
  deletePerson,
  type Recipient,
  recordOutcomes,
  suppressPerson,
} from '../../src/index.ts'
import { accept, iosToken } from '../fixtures.ts'
import { createStage, nextWindow, outcome, rounds, type Stage, takeChunk } from './stage.ts'

let db: TestDatabase
let stage: Stage

beforeAll(async () => {
  db = await createTestDatabase(20)
})

beforeEach(async () => {
  stage = await createStage(db.database)
})

afterAll(() => db[Symbol.asyncDispose]())

interface Phone {
  person: string
  token: string
}

async function phones(count: number): Promise<Phone[]> {
  const all = Array.from({ length: count }, (_, n) => ({ person: `p${n}`, token: iosToken() }))
  await Promise.all(all.map(({ person, token }) => stage.register({ token, personId: person })))
  return all
}

/** A broadcast to people in the order of their devices, which is the order of the windows. */
const toAll = (all: readonly Phone[]) =>
  accept(stage, { to: { person_ids: all.map(({ person }) => person) } })

const withheldOf = (recipients: readonly Recipient[]) =>
  Object.fromEntries(recipients.map((one) => [one.token, one.withheld]))

test('an opt-out and a suppression during a broadcast count from the next window on', async () => {
  for (const _ of rounds.slice(0, 5)) {
    stage = await createStage(db.database)
    const all = await phones(12)
    const id = await toAll(all)
    const hand = await takeChunk(stage, id, 4)
    const [racing] = await Promise.all([
      nextWindow(stage, hand, 4),
      ...all.map(({ person, token }, n) =>
        n % 2
          ? suppressPerson(db.database, stage.person(person))
          : stage.register({ token, change: { set: {}, remove: [], pushPermission: false } }),
      ),
    ])
    for (const { withheld } of racing) {
      expect([null, 'person_suppressed', 'push_disabled']).toContain(withheld)
    }
    const last = await nextWindow(stage, hand, 4)
    const reasons = all.map(({ token }, n) => [
      token,
      n % 2 ? 'person_suppressed' : 'push_disabled',
    ])
    expect(Object.fromEntries(reasons)).toMatchObject(withheldOf(last))
    expect(last).toHaveLength(4)
    const recipients = [...hand.chunk.recipients, ...racing, ...last]
    await recordOutcomes(
      db.database,
      recipients.map((one) => outcome(hand, one)),
    )
    const withheld = recipients.filter((one) => one.withheld !== null).length
    const counts = { recipients: 12, sent: 12 - withheld, suppressed: withheld, pending: 0 }
    expect(await stage.counts(id)).toMatchObject(counts)
  }
})

test('a person deleted during a broadcast gets no more of it, and the ledger adds up', async () => {
  for (const _ of rounds.slice(0, 5)) {
    stage = await createStage(db.database)
    const all = await phones(12)
    const id = await toAll(all)
    const hand = await takeChunk(stage, id, 4)
    const [racing] = await Promise.all([
      nextWindow(stage, hand, 4),
      recordOutcomes(
        db.database,
        hand.chunk.recipients.map((one) => outcome(hand, one)),
      ),
      ...all.map(({ person }) => deletePerson(db.database, stage.person(person))),
    ])
    for (const { withheld } of racing) expect([null, 'deleted']).toContain(withheld)
    const last = await nextWindow(stage, hand, 4)
    expect(last.map(({ withheld, token }) => [withheld, token])).toEqual(
      Array.from({ length: 4 }, () => ['deleted', null]),
    )
    await recordOutcomes(
      db.database,
      [...racing, ...last].map((one) => outcome(hand, one)),
    )
    const { sent, suppressed, ...counts } = await stage.counts(id)
    expect([counts.recipients, sent + suppressed, counts.pending]).toEqual([12, 12, 0])
    expect(await Promise.all(all.map(({ token }) => stage.device(token)))).toEqual(
      all.map(() => null),
    )
    for (const { token } of all) expect(await stage.told(token)).toEqual(['registered', 'deleted'])
  }
})

test('a person who comes back under the same id gets nothing that was planned before', async () => {
  const [phone] = await phones(1)
  if (!phone) throw new Error('no phone')
  const id = await toAll([phone])
  await deletePerson(db.database, stage.person(phone.person))
  await stage.register({ token: phone.token, personId: phone.person })
  const hand = await takeChunk(stage, id)
  expect(hand.chunk.recipients.map(({ withheld }) => withheld)).toEqual(['reassigned'])
})

test('the same idempotency key on two nodes at once is one message, whoever asks', async () => {
  const other = connect({ url: db.url, name: 'other node', connectionsMax: 8 })
  try {
    const all = await phones(3)
    const message = NewMessage.parse({
      to: { person_ids: all.map(({ person }) => person) },
      content: { title: 'Once' },
    })
    const bodyHash = (text: string) => createHash('sha256').update(text).digest()
    for (const round of rounds) {
      const ask = (node: number, body: string) =>
        acceptMessage(node % 2 ? other : db.database, {
          workspaceNo: stage.workspaceNo,
          appNo: null,
          message,
          lane: 'transactional',
          planNow: true,
          idempotency: { key: `key ${round}`, bodyHash: bodyHash(body) },
        })
      const answers = await Promise.all(Array.from({ length: 8 }, (_, node) => ask(node, 'same')))
      const kinds = answers.map(({ kind }) => kind).sort()
      expect(kinds).toEqual(['accepted', ...Array.from({ length: 7 }, () => 'repeated')])
      const ids = new Set(answers.map((answer) => (answer.kind === 'conflict' ? '' : answer.id)))
      expect(ids.size).toBe(1)
      expect(await ask(round, 'another')).toEqual({ kind: 'conflict' })
      const [id = ''] = ids
      expect(await stage.counts(id)).toMatchObject({ recipients: 3, pending: 3 })
    }
    const { rows } = await db.database.query<{ messages: number; bells: number }>(
      `select count(distinct m.message_no)::int as messages, count(o.outbox_no)::int as bells
       from messages m join chunks c using (message_no) left join outbox o on o.ref = c.chunk_no
       where m.workspace_no = $1`,
      [stage.workspaceNo],
    )
    expect(rows).toEqual([{ messages: rounds.length, bells: rounds.length }])
  } finally {
    await other.end()
  }
})

test('answers of two holders of one chunk that are written together are written once', async () => {
  const all = await phones(2)
  const id = await toAll(all)
  const former = await takeChunk(stage, id)
  await db.database.query(`update chunks set rescue_at = now() - interval '1 second'
                           where chunk_no = ${former.chunk.chunkNo}`)
  const present = await takeChunk(stage, id)
  expect(present.chunk.recipients.map((one) => one.mayHaveBeenSent)).toEqual([true, true])
  await recordOutcomes(
    db.database,
    [former, present].flatMap((hand) => hand.chunk.recipients.map((one) => outcome(hand, one))),
  )
  expect(await stage.counts(id)).toMatchObject({ recipients: 2, sent: 2, pending: 0 })
})
