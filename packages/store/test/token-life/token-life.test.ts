import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, test } from 'vitest'
import { command } from './commands.ts'
import { live } from './run.ts'

// More of it: TOKEN_LIFE_RUNS=2000 TOKEN_LIFE_SEED=$RANDOM vitest run packages/store/test/token-life
const given = Number(process.env.TOKEN_LIFE_RUNS ?? 0)
const seed = Number(process.env.TOKEN_LIFE_SEED ?? 20_261_123)

/** A normal run is short, on a slow machine too, and so is the search for a small counterexample. */
const limitMs = given === 0 ? 9000 : 60_000 + given * 2000

const settings = { seed, numRuns: given || 50, interruptAfterTimeLimit: limitMs }

let db: TestDatabase

beforeAll(async () => {
  db = await createTestDatabase(20)
})

afterAll(() => db[Symbol.asyncDispose]())

test('a life of tokens is as the design tells it, whatever comes when', {
  timeout: limitMs * 2,
}, async () => {
  const commands = fc.array(command, { minLength: 10, maxLength: 60, size: 'max' })
  await fc.assert(
    fc.asyncProperty(commands, (all) =>
      live(
        db.database,
        all.map((one) => [one]),
      ),
    ),
    settings,
  )
})

test('commands at once end as they would one after the other', {
  timeout: limitMs * 2,
}, async () => {
  const atOnce = fc.array(command, { minLength: 1, maxLength: 4 })
  const steps = fc.array(atOnce, { minLength: 5, maxLength: 25, size: 'max' })
  await fc.assert(
    fc.asyncProperty(steps, (all) => live(db.database, all)),
    settings,
  )
})
