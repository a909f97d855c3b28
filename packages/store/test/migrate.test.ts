import { createTestDatabase } from '@pushkeep/testkit'
import { expect, test } from 'vitest'
import { migrate } from '../src/index.ts'

test('migrating twice applies each migration once, also from two processes at a time', async () => {
  await using test = await createTestDatabase()
  const again = await Promise.all([migrate(test.database), migrate(test.database)])
  expect(again).toEqual([[], []])
})

test('a message number is time in its upper bits', async () => {
  await using test = await createTestDatabase()
  const { rows } = await test.database.query(
    'select next_message_no() > message_no_at(now() - interval $1) as newer, next_message_no() < message_no_at(now() + interval $1) as older'.replaceAll(
      '$1',
      "'1 minute'",
    ),
  )
  expect(rows).toEqual([{ newer: true, older: true }])
})
