import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCommander, createPartitions, dropOldEvents, readEvents } from '../src/index.ts'
import { type Commanded, createCommanded } from './commander.ts'

let at: Commanded

beforeAll(async () => {
  at = await createCommanded()
})

afterAll(() => at[Symbol.asyncDispose]())

const second = 1000
const day = 86_400_000

describe('events of a phone on which nobody is identified', () => {
  test('become those of the first person who is, with what was said of the nobody', async () => {
    await at.do(
      at.event(null, 'installed', { anonymousId: 'phone-1' }),
      at.describeNobody('phone-1', { colour: 'red', size: 'L', gone: 1, removed: 1 }),
      at.describeNobody('phone-1', { gone: null }),
      at.event(null, 'looked', { anonymousId: 'phone-1' }),
    )
    await at.do(at.identify('ana', { size: 'M', removed: '' }, 'phone-1'), at.event('ana', 'in'))
    expect(await at.names('ana')).toEqual(['installed', 'looked', 'in'])
    expect(await at.attributes('ana')).toEqual({ colour: 'red', size: 'M' })
  })

  test('are nobody else’s, whoever is identified on that phone next', async () => {
    await at.do(
      at.event(null, 'before a', { anonymousId: 'phone-2' }),
      at.identify('a', {}, 'phone-2'),
      at.event('a', 'of a'),
      at.identify('b', {}, 'phone-2'),
      at.event('b', 'of b'),
      // Uploaded late, from before anybody was identified.
      at.event(null, 'late', { anonymousId: 'phone-2' }),
      at.describeNobody('phone-2', { said: 'late' }),
      at.identify('b', {}, 'phone-2'),
    )
    expect(await at.names('a')).toEqual(['before a', 'of a', 'late'])
    expect(await at.names('b')).toEqual(['of b'])
    expect(await at.attributes('a')).toEqual({ said: 'late' })
    expect(await at.attributes('b')).toEqual({})
  })

  test('find their person whatever comes first, and at the same moment', async () => {
    for (let round = 0; round < 20; round += 1) {
      const phone = `phone round ${round}`
      const elsewhere = createCommander(at.database)
      const command = (name: string) => at.event(null, name, { anonymousId: phone })
      await Promise.all([
        at.do(command('one'), command('two')),
        elsewhere([{ command: at.identify(`round ${round}`, {}, phone), message: null }]),
        at.do(command('three')),
      ])
      expect((await at.names(`round ${round}`))?.toSorted()).toEqual(['one', 'three', 'two'])
    }
  })

  test('of two who are identified at the same moment belong to one of them', async () => {
    for (let round = 0; round < 20; round += 1) {
      const phone = `shared phone ${round}`
      await at.do(at.event(null, 'before', { anonymousId: phone }))
      const elsewhere = createCommander(at.database)
      await Promise.all([
        at.do(at.identify(`left ${round}`, {}, phone)),
        elsewhere([{ command: at.identify(`right ${round}`, {}, phone), message: null }]),
      ])
      const names = [await at.names(`left ${round}`), await at.names(`right ${round}`)].flat()
      expect(names).toEqual(['before'])
    }
  })

  test('that are older than 30 days stay nobody’s', async () => {
    await at.do(
      at.event(null, 'old', { anonymousId: 'phone-3' }),
      at.event(null, 'young', { anonymousId: 'phone-3' }),
    )
    await at.database.query(
      `update person_events set received_at = now() - interval '31 days' where name = 'old'`,
    )
    await at.do(at.identify('c', {}, 'phone-3'))
    expect(await at.names('c')).toEqual(['young'])
  })

  test('belong to their workspace', async () => {
    const { workspaceNo: _, ...name } = { workspaceNo: 0, anonymousId: 'phone-4' }
    const elsewhere = at.event(null, 'theirs', { ...name, workspaceNo: at.workspaceNo + 1 })
    await at.do(elsewhere, at.event(null, 'ours', name), at.identify('d', {}, 'phone-4'))
    expect(await at.names('d')).toEqual(['ours'])
  })
})

test('an event creates the person whom it names', async () => {
  await at.do(at.event('newcomer', 'came'))
  expect(await at.person('newcomer')).toMatchObject({ attributes: {}, suppressed: false })
})

test('events come latest first, by when they happened, in pages that miss and repeat nothing', async () => {
  const now = Date.now()
  const times = [5, 3, 3, 9, 1, 3, 7].map((seconds) => now - seconds * second)
  await at.do(...times.map((time, n) => at.event('reader', `e${n}`, { at: time })))
  await at.do(at.event('reader', 'ahead', { at: now + day }), at.event('reader', 'now'))
  const names: string[] = []
  let after: Parameters<typeof readEvents>[1]['after'] = null
  do {
    const page = await readEvents(at.database, {
      workspaceNo: at.workspaceNo,
      id: 'reader',
      limit: 2,
      after,
    })
    names.push(...(page?.events.map((event) => event.name) ?? []))
    after = page?.next ?? null
  } while (after)
  expect(names).toEqual(['now', 'ahead', 'e4', 'e5', 'e2', 'e1', 'e0', 'e6', 'e3'])
})

test('an event reads back as it was sent; one whose time is to come happened when it arrived', async () => {
  const properties = { nested: { list: [1, null, 'ä🙂'] }, empty: '', none: null }
  await at.send(['full-id', at.event('full', 'all', { type: 'screen', properties, at: 1000 })])
  await at.do(at.event('full', 'ahead', { at: Date.now() + day, messageId: 'own' }))
  const page = await readEvents(at.database, {
    workspaceNo: at.workspaceNo,
    id: 'full',
    limit: 10,
    after: null,
  })
  expect(page).toMatchObject({
    events: [
      { name: 'ahead', messageId: 'own' },
      { type: 'screen', name: 'all', properties, at: new Date(1000), anonymousId: null },
    ],
    next: null,
  })
  const [ahead] = page?.events ?? []
  expect(ahead?.at).toEqual(ahead?.receivedAt)
})

test('a person without events has none, nobody is not known', async () => {
  await at.do(at.identify('silent'))
  expect(await at.names('silent')).toEqual([])
  expect(await at.names('unheard of')).toBeNull()
})

describe('retention', () => {
  const partitions = async (parent: string) => {
    const { rows } = await at.database.query<{ name: string }>(
      `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
       where i.inhparent = $1::regclass order by 1`,
      [parent],
    )
    return rows.map((row) => row.name)
  }

  test('drops months, weeks and ids that were kept long enough, and nothing younger', async () => {
    const { database } = at
    await at.do(at.event(null, 'seen', { anonymousId: 'seen long ago' }))
    await database.query(
      `update anonymous_ids set seen_on = '2030-01-01' where anonymous_id = 'seen long ago'`,
    )
    const start = Date.UTC(2030, 0, 15)
    for (const now of [start, start + 35 * day, start + 70 * day]) {
      await createPartitions(database, now)
      await createPartitions(database, now)
    }
    expect(await partitions('person_events')).toEqual([
      'person_events_203001',
      'person_events_203002',
      'person_events_203003',
      'person_events_203004',
      'person_events_default',
    ])
    expect(await partitions('client_messages')).toEqual([
      'client_messages_20300114',
      'client_messages_20300121',
      'client_messages_20300218',
      'client_messages_20300225',
      'client_messages_20300325',
      'client_messages_20300401',
      'client_messages_default',
    ])
    await database.query(
      `insert into person_events (workspace_no, type, name, properties, at, received_at)
       values (1, 'event', 'old', '{}', '2030-02-28', '2030-02-28')`,
    )
    await database.query(
      `insert into client_messages (workspace_no, message_hash, week)
       values (1, gen_random_uuid(), '2030-02-18')`,
    )

    // On the 31st of March 30 days reach back to the first.
    await dropOldEvents(database, Date.UTC(2030, 2, 31, 12), { eventDays: 30 })
    expect(await partitions('person_events')).toEqual([
      'person_events_203003',
      'person_events_203004',
      'person_events_default',
    ])
    expect(await partitions('client_messages')).toEqual([
      'client_messages_20300325',
      'client_messages_20300401',
      'client_messages_default',
    ])
    const { rows } = await database.query(
      `select count(*)::int as n from anonymous_ids where anonymous_id = 'seen long ago'`,
    )
    expect(rows).toEqual([{ n: 0 }])
  })

  test('deletes what was written before its partition was made', async () => {
    await at.do(at.event('keeper', 'old'), at.event('keeper', 'young'))
    await at.database.query(
      `update person_events set received_at = now() - interval '100 days' where name = 'old'`,
    )
    await dropOldEvents(at.database, Date.now(), { eventDays: 90 })
    expect(await at.names('keeper')).toEqual(['young'])
  })
})
