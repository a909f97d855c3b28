import type { Attributes } from '@pushkeep/domain'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createApp,
  createCommander,
  createIdentifier,
  createImporter,
  createRegistrar,
  createWorkspace,
  erasePerson,
  exportDevices,
  exportPeople,
  findPerson,
  type Imported,
  type ImportRow,
  type Registration,
  unsuppressPerson,
} from '../src/index.ts'
import { changeOf, createRegistry, randomToken } from './registry.ts'

let registry: Awaited<ReturnType<typeof createRegistry>>
let importRows: ReturnType<typeof createImporter>
let commander: ReturnType<typeof createCommander>

beforeAll(async () => {
  registry = await createRegistry()
  importRows = createImporter(registry.database)
  commander = createCommander(registry.database)
})

afterAll(() => registry[Symbol.asyncDispose]())

const hour = 3_600_000
const now = () => Date.now()

function deviceRow(call: Partial<Registration> & { token: string }, row: Partial<ImportRow> = {}) {
  const { workspaceNo } = registry
  const device = registry.complete(call)
  return { workspaceNo, person: null, device, standing: null, ...row } satisfies ImportRow
}

function personRow(id: string, attributes: Attributes, suppressed = false): ImportRow {
  const { workspaceNo } = registry
  return { workspaceNo, person: { id, attributes, suppressed }, device: null, standing: null }
}

const kinds = (results: Imported[]) => results.map(({ kind }) => kind)
const person = (id: string) => findPerson(registry.database, { ...registry, id })

test('a line is a device with its person, or a person; the second time nothing is new', async () => {
  const token = randomToken()
  const rows = [
    deviceRow({ token, personId: 'imp-1', at: now() - hour, lastUsed: 12 }),
    personRow('imp-2', { plan: 'pro' }),
  ]
  expect(kinds(await importRows(rows))).toEqual(['created', 'identified'])
  const first = await registry.device(token)
  expect(first).toMatchObject({ personId: 'imp-1', lastUsed: 12 })
  expect((await person('imp-2'))?.attributes).toEqual({ plan: 'pro' })
  expect(kinds(await importRows(rows))).toEqual(['updated', 'identified'])
  expect(await registry.device(token)).toMatchObject({ personId: 'imp-1', lastUsed: 12 })
  expect(await registry.kinds(token)).toEqual(['registered'])
})

test('whatever was registered here since stays (R1); whom a late line names is there all the same', async () => {
  const importer = createImporter(registry.database)
  // The first time it takes tokens for new, the second time for known.
  for (const owner of ['old-owner', 'other-owner']) {
    const token = randomToken()
    await registry.register({ token, personId: 'new-owner' })
    const old = deviceRow({ token, personId: owner, at: now() - hour })
    expect(kinds(await importer([old]))).toEqual(['late'])
    expect((await registry.device(token))?.personId).toBe('new-owner')
    expect(await person(owner)).not.toBeNull()
  }
  const [token, at] = [randomToken(), now() - hour]
  const rows = [
    deviceRow({ token, personId: 'first', at }),
    deviceRow({ token, personId: 'second', at: at - hour }),
  ]
  const fresh = createImporter(registry.database)
  expect(kinds(await fresh(rows))).toEqual(['created', 'late'])
  expect(await person('second')).not.toBeNull()
})

test('tokens of people who are new, several of each, all find their people', async () => {
  const owners = ['many-1', 'many-2', 'many-3']
  const calls = Array.from({ length: 90 }, (_, n) => ({
    token: randomToken(),
    personId: owners[n % 3] ?? '',
    at: now() - hour,
  }))
  const importer = createImporter(registry.database)
  const rows = calls.map((call) => deviceRow(call))
  expect(new Set(kinds(await importer(rows)))).toEqual(new Set(['created']))
  for (const { token, personId } of calls) {
    expect((await registry.device(token))?.personId).toBe(personId)
  }
})

test('lines about one token count in their order, also within a batch', async () => {
  const token = randomToken()
  const at = now() - hour
  const results = await importRows([
    deviceRow({ token, personId: 'order-1', at }),
    deviceRow({ token, personId: 'order-2', at }),
    deviceRow({ token, personId: 'order-3', at: at - 1 }),
  ])
  expect(kinds(results)).toEqual(['created', 'updated', 'late'])
  expect((await registry.device(token))?.personId).toBe('order-2')
  expect(await registry.kinds(token)).toEqual(['registered', 'moved'])
})

test('attributes of a person merge in the order of the lines, and null removes (R8)', async () => {
  await importRows([personRow('merge', { a: 1, b: 2, c: 3 })])
  await importRows([
    personRow('merge', { a: null, d: 4 }),
    deviceRow(
      { token: randomToken(), personId: 'merge' },
      { person: { id: 'merge', attributes: { b: 5, d: '' }, suppressed: false } },
    ),
  ])
  expect((await person('merge'))?.attributes).toEqual({ b: 5, c: 3 })
})

test('a suppressed person is suppressed here; naming one who is known changes nothing of them', async () => {
  await importRows([personRow('hush', { x: 1 }, true)])
  const before = await person('hush')
  expect(before?.suppressed).toBe(true)
  await importRows([deviceRow({ token: randomToken(), personId: 'hush' }), personRow('hush', {})])
  expect(await person('hush')).toMatchObject({ suppressed: true, attributes: { x: 1 } })
})

test('somebody erased stays erased: nothing of them is stored, nor a device of theirs', async () => {
  const { workspaceNo } = registry
  const token = randomToken()
  await importRows([personRow('gone', { plan: 'pro' })])
  await erasePerson(registry.database, { workspaceNo, id: 'gone' })
  const rows = [
    personRow('gone', { plan: 'again' }),
    deviceRow({ token, personId: 'gone', at: now() - hour }),
    deviceRow({ token: randomToken(), personId: 'stays' }, {}),
  ]
  // As registering says of them: taken, and without effect.
  expect(kinds(await importRows(rows))).toEqual(['identified', 'late', 'created'])
  expect((await registry.register({ token, personId: 'gone' })).applied).toBe(false)
  expect(await registry.device(token)).toBeNull()
  expect(await person('gone')).toMatchObject({ attributes: {}, suppressed: true })
  const page = await exportPeople(registry.database, { workspaceNo, after: '0', limit: 1000 })
  const exported = page.rows.map(({ id }) => id)
  expect(exported).toContain('stays')
  expect(exported).not.toContain('gone')
  await unsuppressPerson(registry.database, { workspaceNo, id: 'gone' })
  await importRows([personRow('gone', { plan: 'again' })])
  expect((await person('gone'))?.attributes).toEqual({ plan: 'again' })
})

test('an attribute that is imported counts as set when it was imported', async () => {
  const { workspaceNo } = registry
  const identify = (attributes: Attributes, at: number) =>
    commander([
      {
        command: {
          kind: 'identify',
          call: {
            workspaceNo,
            id: 'timed',
            attributes,
            at,
            anonymousId: null,
            isUpdateOnly: false,
          },
        },
        message: null,
      },
    ])
  await identify({ plan: 'later', city: 'Bern' }, now() + hour)
  await importRows([personRow('timed', { plan: 'imported', city: null })])
  expect((await person('timed'))?.attributes).toEqual({ plan: 'imported' })
  // What the import said is not held back by the time of what it replaced.
  await identify({ plan: 'newer' }, now() + hour / 2)
  expect((await person('timed'))?.attributes).toEqual({ plan: 'newer' })
})

test('a new token brings its standing along, one that is known keeps its own', async () => {
  const [dead, known] = [randomToken(), randomToken()]
  await registry.register({ token: known, at: now() - 2 * hour })
  const standing = {
    registeredAt: now() - 3 * hour,
    lastStatus: 'bounced' as const,
    statusAt: now() - 2 * hour,
    failures: 0,
    deadAt: now() - 2 * hour,
    deadReason: 'Unregistered',
  }
  await importRows([
    deviceRow({ token: dead, at: now() - hour }, { standing }),
    deviceRow({ token: known, at: now() - hour }, { standing }),
  ])
  expect(await registry.device(dead)).toMatchObject({
    lastStatus: 'bounced',
    pushEnabled: false,
    registeredAt: new Date(standing.registeredAt),
  })
  expect(await registry.device(known)).toMatchObject({ lastStatus: '', pushEnabled: true })
  const page = await exportDevices(registry.database, {
    appNo: registry.appNo,
    after: '0',
    limit: 1000,
  })
  expect(page.next).toBeNull()
  expect(page.rows.find(({ token }) => token === dead)).toMatchObject({
    ...standing,
    pushPermission: true,
  })
})

test('a line that the database refuses costs no other', async () => {
  const big = { text: 'x'.repeat(60_000) }
  await importRows([personRow('large', { a: big, b: big, c: big, d: big })])
  // Random, so that it does not become small when it is stored.
  const noise = Array.from({ length: 4 }, () =>
    Array.from({ length: 900 }, () => randomToken()).join(''),
  )
  await importRows([
    personRow('noise', { a: noise[0] ?? '', b: noise[1] ?? '', c: noise[2] ?? '' }),
  ])
  const [one, two] = [randomToken(), randomToken()]
  const results = await importRows([
    deviceRow({ token: one, personId: 'beside' }),
    personRow('noise', { d: noise[3] ?? '', e: noise[0] ?? '' }),
    deviceRow({ token: two, personId: 'noise' }),
    personRow('beside', { ok: true }),
  ])
  expect(kinds(results)).toEqual(['created', 'error', 'created', 'identified'])
  expect(await registry.device(one)).not.toBeNull()
  // What is refused of a person is no reason against a device of theirs.
  expect((await registry.device(two))?.personId).toBe('noise')
  expect((await person('beside'))?.attributes).toEqual({ ok: true })
  expect(Object.keys((await person('noise'))?.attributes ?? {})).toEqual(['a', 'b', 'c'])
})

/** What one line says, in small numbers, so that lines meet. */
const line = fc.record({
  token: fc.integer({ min: 0, max: 4 }),
  person: fc.option(fc.integer({ min: 0, max: 2 })),
  installation: fc.option(fc.integer({ min: 0, max: 1 })),
  previous: fc.option(fc.integer({ min: 0, max: 4 }), { freq: 8 }),
  hoursAgo: fc.option(fc.integer({ min: 0, max: 3 })),
  attribute: fc.option(fc.constantFrom<Attributes>({ a: 1 }, { b: 2 }, { a: null })),
  permission: fc.option(fc.boolean()),
})

test('importing is registering: any lines in any batches leave the same as one call after the other', async () => {
  const { database } = registry
  const start = now()
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 14 }),
      fc.integer({ min: 1, max: 14 }),
      async (lines, batchSize) => {
        const tokens = Array.from({ length: 5 }, randomToken)
        const workspaces = await Promise.all([1, 2].map(() => createWorkspace(database, 'w')))
        const apps = await Promise.all(
          workspaces.map(({ workspaceNo }) => createApp(database, workspaceNo, 'a')),
        )
        const rowsFor = (n: 0 | 1): ImportRow[] =>
          lines.map((given) => {
            const { workspaceNo = 0, appNo = 0 } = { ...workspaces[n], ...apps[n] }
            const personId = given.person === null ? null : `p${given.person}`
            const permission = given.permission === null ? {} : { push_enabled: given.permission }
            return deviceRow(
              {
                workspaceNo,
                appNo,
                token: tokens[given.token] ?? '',
                personId,
                installationId: given.installation === null ? null : `i${given.installation}`,
                previousToken: given.previous === null ? null : (tokens[given.previous] ?? ''),
                at: start - 1 - (given.hoursAgo ?? 0) * hour,
                lastUsed: 7,
                change: changeOf({ ...given.attribute, ...permission }),
              },
              {
                workspaceNo,
                person:
                  personId !== null && given.attribute
                    ? { id: personId, attributes: given.attribute, suppressed: false }
                    : null,
              },
            )
          })
        const batches: ImportRow[][] = []
        const all = rowsFor(0)
        for (let from = 0; from < all.length; from += batchSize) {
          batches.push(all.slice(from, from + batchSize))
        }
        const importer = createImporter(database)
        const imported = []
        for (const batch of batches) imported.push(...(await importer(batch)))

        const register = createRegistrar(database)
        const identify = createIdentifier(database)
        const applied = []
        for (const { workspaceNo, person: said, device } of rowsFor(1)) {
          if (!device) throw new Error('no device')
          const { personId: id } = device
          if (id !== null) await identify({ workspaceNo, id, attributes: said?.attributes ?? {} })
          applied.push((await register(device)).applied)
        }
        expect(imported.map(({ kind }) => kind !== 'late')).toEqual(applied)
        const dump = async (n: 0 | 1) =>
          (
            await database.query(
              `select d.token_hash, d.token, p.id as person, d.installation_id, d.attributes,
                      d.push_permission, d.last_used, d.ordered_at, d.deleted_at is null as live,
                      p.attributes as of_person,
                      (select array_agg(kind order by kind) from device_events e
                       where e.device_no = d.device_no) as events
               from devices d left join people p using (person_no)
               where d.app_no = $1 order by d.token_hash`,
              [apps[n]?.appNo],
            )
          ).rows
        expect(await dump(0)).toEqual(await dump(1))
      },
    ),
    { numRuns: 30, seed: 7 },
  )
}, 120_000)
