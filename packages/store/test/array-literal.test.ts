import { createTestDatabase } from '@pushkeep/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { listOf, textListOf } from '../src/array-literal.ts'

const awkward = fc.constantFrom(
  'null',
  'NULL',
  '',
  '"',
  '\\',
  '\\n',
  '\n',
  '\t',
  '\u0001',
  '{}',
  ',',
)
const text = fc
  .oneof(awkward, fc.string({ unit: 'grapheme' }), fc.string({ unit: fc.oneof(awkward) }))
  .filter((value) => !value.includes('\0'))

test('PostgreSQL reads a list of texts as it was written', async () => {
  await using direct = await createTestDatabase()
  const property = fc.asyncProperty(fc.array(fc.option(text)), async (texts) => {
    const { rows } = await direct.database.query<{ read: (string | null)[] }>(
      'select $1::text[] as read',
      [textListOf(texts, (value) => value)],
    )
    expect(rows[0]?.read).toEqual(texts)
  })
  await fc.assert(property, { numRuns: 300 })
})

test('PostgreSQL reads a list of numbers, of truths and of nothing', async () => {
  await using direct = await createTestDatabase()
  const { rows } = await direct.database.query(
    'select $1::float8[] as numbers, $2::boolean[] as truths, $3::int[] as none',
    [
      listOf([1, null, 1_763_900_000_123], (n) => n),
      listOf([true, null, false], (truth) => truth),
      listOf([], () => 1),
    ],
  )
  expect(rows[0]).toEqual({
    numbers: [1, null, 1_763_900_000_123],
    truths: [true, null, false],
    none: [],
  })
})
