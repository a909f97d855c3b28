import { createApp, createKey, createWorkspace } from '@pushkeep/store'
import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { personLine } from '../src/cli/export/lines.ts'
import { columns, facts, line } from '../src/cli/view.ts'
import { pushkeepIn } from './in-process.ts'

const hostile = 'x\r\n\u001b]0;pwned\u0007\u001b[2J\u001b[31mroot#\u009b0m\u202ey'
const obeyed = /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
  // As they could be stored before control characters were refused.
  const { workspaceNo } = await createWorkspace(db.database, hostile)
  const { appNo } = await createApp(db.database, workspaceNo, hostile)
  const key = { workspaceNo, appNo, kind: 'secret', name: hostile } as const
  await createKey(db.database, key)
})
afterAll(() => db[Symbol.asyncDispose]())

const pushkeep = (...args: string[]) => pushkeepIn(args, { DATABASE_URL: db.url })

test.each([
  [['workspace', 'list']],
  [['app', 'list']],
  [['key', 'list']],
  [['app', 'list', '--json']],
  [['key', 'list', '--json']],
  [[hostile]],
  [['import', `/no/such/${hostile}.csv`]],
])('the terminal shows what it is given and obeys none of it: %j', async (args) => {
  const { out, err } = await pushkeep(...args)
  expect(out + err).not.toMatch(obeyed)
  expect(out + err).toContain('u001b')
  if (args.includes('--json')) expect(JSON.stringify(JSON.parse(out))).toContain('\\u001b]0;pwned')
  // A line break in a name begins no line of a list.
  else expect(`${out}${err}`.trim().split('\n')).toHaveLength(1)
})

test('an error of a name with control characters is said and names what is wrong', async () => {
  const { code, err } = await pushkeep('app', 'create', 'a\u001b[2Jb')
  expect(code).toBe(2)
  expect(err).toBe('pushkeep: the name must have no control characters\n')
})

test('facts, columns and lines escape what they show', () => {
  const views = [facts([[hostile, hostile]]), columns([[hostile, hostile]]), line([hostile, 1])]
  for (const view of views) {
    expect(view).not.toMatch(obeyed)
    expect(view).not.toContain('\n')
  }
})

test('an exported line is JSON of the same text, and harmless where a terminal shows the file', () => {
  const exported = personLine({
    id: hostile,
    attributes: { [hostile]: hostile },
    suppressed: false,
  })
  expect(exported).not.toMatch(obeyed)
  expect(JSON.parse(exported)).toMatchObject({ id: hostile, attributes: { [hostile]: hostile } })
})
