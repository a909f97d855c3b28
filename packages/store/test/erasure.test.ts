import { randomBytes } from 'node:crypto'
import { findEverywhere } from '@pushkeep/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  checkBooks,
  createReceiptTaker,
  dropOldErasures,
  erasePerson,
  eraseSlice,
  leaseChunks,
  openErasures,
  planSlice,
  recordOutcomes,
  renamePerson,
  suppressPerson,
} from '../src/index.ts'
import { type Commanded, createCommanded } from './commander.ts'
import { accept, openChunks, report, type Scene, sent } from './fixtures.ts'
import { changeOf, randomToken } from './registry.ts'

let at: Commanded
let scene: Scene

beforeAll(async () => {
  at = await createCommanded({ personDevices: 0 })
  scene = { database: at.database, workspaceNo: at.workspaceNo, appNo: at.appNo }
})

afterAll(() => at[Symbol.asyncDispose]())

/** Does all that is due, and then the second round, as if its time had come. */
async function eraseAll() {
  while (await eraseSlice(at.database));
  await at.database.query('update erasures set due_at = now() where finished_at is null')
  while (await eraseSlice(at.database));
  expect(await openErasures(at.database)).toEqual({ count: 0, oldestSeconds: null })
}

/** Sends what is planned: the provider takes all that is not withheld. */
async function deliverAll() {
  const wanted = (await openChunks(scene)).map((chunkNo) => ({
    chunkNo,
    lease: crypto.randomUUID(),
  }))
  for (const chunk of await leaseChunks(at.database, wanted, 500)) {
    await recordOutcomes(
      at.database,
      chunk.recipients.map((recipient) => {
        const { withheld: reason } = recipient
        const effect = { lastStatus: null, token: null, failures: null }
        return sent(chunk, recipient, reason ? { status: 'suppressed', reason, effect } : {})
      }),
    )
  }
}

const numberOf = async (messageId: string) => (await report(scene, messageId)).messageNo

/** A person with one of everything, and the words by which it is found. */
async function createSubject() {
  const u = randomBytes(6).toString('hex')
  const words = {
    id: `subject-${u}`,
    address: `mail${u}@example.org`,
    'attribute name': `attrname${u}`,
    'attribute value': `attrvalue${u}`,
    'device attribute': `devattr${u}`,
    installation: `install${u}`,
    token: randomToken(),
    'replaced token': randomToken(),
    'token left behind': randomToken(),
    'second token': randomToken(),
    'anonymous id': `anonid${u}`,
    'anonymous event': `anonevent${u}`,
    event: `eventname${u}`,
    property: `propvalue${u}`,
    content: `contenttext${u}`,
    trigger: `triggertext${u}`,
    'idempotency key': `key${u}`,
    'collapse id': `collapse${u}`,
  }
  const { id } = words
  const installation = { installationId: words.installation }
  await at.do(
    at.event(null, words['anonymous event'], { anonymousId: words['anonymous id'] }),
    at.describeNobody(words['anonymous id'], { hint: words['attribute value'] }),
    at.identify(
      id,
      { email: words.address, [words['attribute name']]: words['attribute value'] },
      words['anonymous id'],
      { at: Date.now() },
    ),
    at.event(id, words.event, { properties: { p: words.property } }),
    at.register(words['replaced token'], id, installation),
  )
  const registered = [
    at.register(words.token, id, {
      ...installation,
      change: changeOf({ x: words['device attribute'] }),
    }),
    at.register(words['second token'], id, { change: changeOf({ x: words['device attribute'] }) }),
    at.register(words['token left behind'], id),
  ]
  for (const command of registered) await at.do(command)
  return { id, words }
}

type Subject = Awaited<ReturnType<typeof createSubject>>

/** Messages to them by every kind of name: sent, waiting, scheduled; each says something to them. */
async function writeTo({ id, words }: Subject) {
  const about = { content: { title: words.content }, trigger: { t: words.trigger } }
  const options = { personKeys: [words['attribute name']] }
  const liquid = { templating: 'liquid' as const, ...about }
  const later = { send_at: Date.now() + 86_400_000 }
  const to = [
    { person_id: id },
    { person_id: id, token: words.token },
    { token: words.token },
    { token: words.token.toUpperCase() },
    { token: words['replaced token'] },
    { token: words['token left behind'] },
    { tokens: [words.token, words['second token']] },
    { person_ids: [id] },
  ]
  const ids: string[] = []
  for (const audience of to) {
    ids.push(await accept(scene, { to: audience, ...liquid }, options))
    await accept(scene, { to: audience, ...liquid, ...later }, { ...options, planNow: false })
  }
  // To a list of which nobody else is known, it went to them alone.
  await accept(scene, { to: { person_ids: ['nobody', id] }, ...liquid }, options)
  await accept(
    scene,
    { to: { person_id: id }, ...about, templating: 'liquid', collapse_id: words['collapse id'] },
    { idempotency: { key: words['idempotency key'], bodyHash: Buffer.from('x') } },
  )
  return ids
}

async function receive(messageId: string | undefined, token: string) {
  const take = createReceiptTaker(at.database)
  const receipt = { workspaceNo: at.workspaceNo, appNo: null, at: null, token }
  await take({ ...receipt, messageId: messageId ?? '', event: 'opened' })
}

const ways: [string, boolean, (id: string) => Promise<unknown>][] = [
  [
    'deleting',
    false,
    (id) => at.do({ kind: 'delete-person', person: { workspaceNo: at.workspaceNo, id } }),
  ],
  ['erasing', true, (id) => erasePerson(at.database, { workspaceNo: at.workspaceNo, id })],
  [
    'erasing one who was suppressed before',
    true,
    async (id) => {
      await suppressPerson(at.database, { workspaceNo: at.workspaceNo, id })
      await at.do({ kind: 'erase-person', person: { workspaceNo: at.workspaceNo, id } })
    },
  ],
]

test.each(ways)('%s a person leaves nothing of them in any column', async (_, isBlocked, erase) => {
  const subject = await createSubject()
  const { id, words } = subject
  const messages = await writeTo(subject)
  await deliverAll()
  await receive(messages[0], words.token)
  // Written, but not sent when they are erased.
  const waiting = await accept(scene, { to: { person_id: id }, content: { body: words.content } })
  const shared = await accept(scene, { to: { person_ids: [id, 'neighbour'] } })
  await at.do(at.remove(words['token left behind'], id))
  const before = await findEverywhere(at.database, words)
  expect(new Set(before.map((place) => place.split(': ')[1]))).toEqual(
    new Set(
      Object.keys(words)
        .filter((name) => name !== 'replaced token')
        .concat('replaced token'),
    ),
  )

  await erase(id)
  await deliverAll()
  await eraseAll()

  const left = await findEverywhere(at.database, words)
  expect(left).toEqual(isBlocked ? ['people.id: id'] : [])
  expect((await report(scene, waiting)).counts).toMatchObject({ recipients: 3, suppressed: 3 })
  expect((await report(scene, shared)).audience.person_ids).toEqual([
    expect.stringMatching(/^erased:/),
    'neighbour',
  ])
  const { unbalanced } = await checkBooks(at.database, 10_000)
  expect(unbalanced).toEqual([])
})

describe('what was written to others stays', () => {
  test('in a list, with the other names; the content of what another got, too', async () => {
    const token = randomToken()
    await at.do(at.register(token, 'kept'), at.register(randomToken(), 'gone'))
    const both = await accept(scene, {
      to: { person_ids: ['gone', 'kept'] },
      content: { title: 'for both' },
    })
    const tokens = await accept(scene, { to: { tokens: [token] }, content: { title: 'theirs' } })
    await deliverAll()
    await erasePerson(at.database, { workspaceNo: at.workspaceNo, id: 'gone' })
    await eraseAll()
    const left = await report(scene, both)
    expect(left.content.content).toEqual({ title: 'for both' })
    expect(left.audience.person_ids?.[1]).toBe('kept')
    expect(await report(scene, tokens)).toMatchObject({
      audience: { tokens: [token] },
      content: { content: { title: 'theirs' } },
    })
    // With the second of them, nobody is left who got it.
    await at.do({ kind: 'delete-person', person: { workspaceNo: at.workspaceNo, id: 'kept' } })
    await eraseAll()
    expect((await report(scene, both)).content).toEqual({})
  })

  test('where the token has moved on to another person', async () => {
    const token = randomToken()
    await at.do(at.register(token, 'first'))
    const toFirst = await accept(scene, { to: { token }, content: { title: 'first' } })
    await deliverAll()
    await at.do(at.register(token, 'second'))
    const toSecond = await accept(scene, { to: { token }, content: { title: 'second' } })
    await deliverAll()
    await erasePerson(at.database, { workspaceNo: at.workspaceNo, id: 'first' })
    await eraseAll()
    expect((await report(scene, toFirst)).content).toEqual({})
    expect(await report(scene, toSecond)).toMatchObject({
      audience: { token },
      content: { content: { title: 'second' } },
    })
    expect(await at.device(token)).toMatchObject({ personId: 'second' })
  })

  test('to the one who has the id afterwards', async () => {
    await at.do(at.register(randomToken(), 'again'))
    await at.do({ kind: 'delete-person', person: { workspaceNo: at.workspaceNo, id: 'again' } })
    await at.do(at.register(randomToken(), 'again'))
    const id = await accept(scene, { to: { person_id: 'again' }, content: { title: 'new' } })
    await eraseAll()
    expect(await report(scene, id)).toMatchObject({
      audience: { person_id: 'again' },
      content: { content: { title: 'new' } },
    })
  })
})

test('a list that is half planned goes on where it stood', async () => {
  const tokens = Array.from({ length: 1005 }, randomToken)
  const owner = (n: number) => (n < 1000 ? 'list-gone' : `list-${n}`)
  await at.do(...tokens.map((token, n) => at.register(token, owner(n))))
  const id = await accept(scene, { to: { tokens } }, { planNow: false })
  expect(await planSlice(at.database, await numberOf(id))).toBe(true)
  await erasePerson(at.database, { workspaceNo: at.workspaceNo, id: 'list-gone' })
  await eraseAll()
  expect(await planSlice(at.database, await numberOf(id))).toBe(false)
  expect((await report(scene, id)).counts.recipients).toBe(1005)
})

test('messages of a merged or renamed person name the one who stays, and are erased with them', async () => {
  const u = randomBytes(6).toString('hex')
  const [first, second, third] = [`merged-${u}-1`, `merged-${u}-2`, `merged-${u}-3`]
  await at.do(at.register(randomToken(), first), at.register(randomToken(), second))
  const content = { title: `to-${u}` }
  const sentToFirst = await accept(scene, { to: { person_id: first }, content })
  await deliverAll()
  const merge = { workspaceNo: at.workspaceNo, primary: second, secondary: first }
  await at.do({ kind: 'merge-people', merge })
  await eraseAll()
  expect((await report(scene, sentToFirst)).audience).toEqual({ person_id: second })
  expect(await findEverywhere(at.database, { first })).toEqual([])

  await renamePerson(at.database, { workspaceNo: at.workspaceNo, from: second, to: third })
  // Not done when they are erased: it is finished with them.
  await erasePerson(at.database, { workspaceNo: at.workspaceNo, id: third })
  await eraseAll()
  expect(
    await findEverywhere(at.database, { first, second, third, content: content.title }),
  ).toEqual(['people.id: third'])
})

test('an erasure that broke off is done by the next worker, and two workers do not meet', async () => {
  await at.do(at.register(randomToken(), 'broken'))
  const ids: string[] = []
  for (let n = 0; n < 20; n += 1) ids.push(await accept(scene, { to: { person_id: 'broken' } }))
  await deliverAll()
  await erasePerson(at.database, { workspaceNo: at.workspaceNo, id: 'broken' })
  await eraseSlice(at.database)
  expect((await openErasures(at.database)).count).toBe(1)
  await Promise.all(Array.from({ length: 4 }, () => eraseSlice(at.database)))
  await eraseAll()
  for (const id of ids) expect((await report(scene, id)).content).toEqual({})
})

test('tombstones of the erased go with the last of their messages; a token that came back stays', async () => {
  const [gone, back] = [randomToken(), randomToken()]
  await at.do(at.register(gone, 'buried'), at.register(back, 'buried'))
  await erasePerson(at.database, { workspaceNo: at.workspaceNo, id: 'buried' })
  await eraseAll()
  await at.do(at.register(back, 'other'))
  const rows = async () =>
    (await at.database.query('select from devices where deleted_at is not null')).rowCount ?? 0
  const before = await rows()
  const retention = { messageDays: 90, timelineDays: 400 }
  await dropOldErasures(at.database, Date.now() + 89 * 86_400_000, retention)
  expect(await rows()).toBe(before)
  await dropOldErasures(at.database, Date.now() + 91 * 86_400_000, retention)
  expect(await rows()).toBeLessThan(before)
  expect(await at.device(back)).toMatchObject({ personId: 'other' })
  expect((await at.database.query('select from erasures')).rowCount).toBe(0)
})
