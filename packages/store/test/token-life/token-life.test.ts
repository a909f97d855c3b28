import { createTestDatabase, type TestDatabase } from '@pushkeep/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, test } from 'vitest'
import { lives } from './commands.ts'
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

const timeout = limitMs * 2

test('a life of tokens is as the design tells it, whatever comes when', { timeout }, async () => {
  const life = fc.asyncProperty(lives(1, 60), (steps) => live(db.database, steps))
  await fc.assert(life, settings)
})

test('commands at once end as they would one after the other', { timeout }, async () => {
  const life = fc.asyncProperty(lives(4, 25), (steps) => live(db.database, steps))
  await fc.assert(life, settings)
})
