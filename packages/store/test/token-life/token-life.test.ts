import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, test } from 'vitest'
import { command } from './commands.ts'
import { live } from './run.ts'

const runs = Number(process.env.TOKEN_LIFE_RUNS ?? 60)
const seed = Number(process.env.TOKEN_LIFE_SEED ?? 20_261_123)

let db: TestDatabase

beforeAll(async () => {
  db = await createTestDatabase(20)
})

afterAll(() => db[Symbol.asyncDispose]())

test('a life of tokens, whatever its order, is as the design tells it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 60, size: 'max' }), (commands) =>
      live(
        db.database,
        commands.map((one) => [one]),
      ),
    ),
    { seed, numRuns: runs, endOnFailure: false },
  )
})

test('commands at once end as in some order one after the other', async () => {
  const step = fc.array(command, { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25, size: 'max' }), (steps) =>
      live(db.database, steps),
    ),
    { seed, numRuns: runs, endOnFailure: false },
  )
})
