import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { databaseConfig, readConfig } from '../src/index.ts'
import { withSecretFiles } from '../src/secret-files.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pushkeep-secrets-'))
  await writeFile(join(folder, 'url'), 'postgres://a:hushhush@b/c\n')
  await writeFile(join(folder, 'empty'), '\n')
})
afterAll(() => rm(folder, { recursive: true }))

const Config = z.object(databaseConfig)

test('a variable of a program may stand in a file', () => {
  const config = readConfig(Config, { DATABASE_URL: '', DATABASE_URL_FILE: join(folder, 'url') })
  expect(config.DATABASE_URL.reveal()).toBe('postgres://a:hushhush@b/c')
})

test.each([
  [{ DATABASE_URL: 'hushhush', DATABASE_URL_FILE: 'url' }, 'are both set'],
  [{ DATABASE_URL_FILE: 'nowhere-hushhush' }, 'cannot be read'],
  [{ DATABASE_URL_FILE: 'empty' }, 'an empty file'],
])('%j is refused by name, without a value', (env, message) => {
  const there = { ...env, DATABASE_URL_FILE: join(folder, env.DATABASE_URL_FILE) }
  expect(() => readConfig(Config, there)).toThrow(message)
  expect(() => readConfig(Config, there)).toThrow(/DATABASE_URL_FILE/)
  expect(() => readConfig(Config, there)).not.toThrow(/hushhush/)
})

test('variables that are not named are left as they are', () => {
  const env = { OTHER_FILE: join(folder, 'url') }
  expect(withSecretFiles(env, ['DATABASE_URL'])).toEqual(env)
})
