import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { databaseConfig, flag, integer, logLevel, port, readConfig } from '../src/index.ts'

const Config = z.object({
  ...databaseConfig,
  PORT: port().prefault('7001'),
  LOG_LEVEL: logLevel().prefault('info'),
  MIGRATE: flag().prefault('true'),
  SIZE: integer({ min: 1, max: 10 }).prefault('5'),
})

test('defaults fill what is not set, and an empty variable is not set', () => {
  const config = readConfig(Config, { DATABASE_URL: 'postgres://u:p@h/d', PORT: '', OTHER: 'x' })
  expect(config).toMatchObject({
    DATABASE_CONNECTIONS: 10,
    PORT: 7001,
    LOG_LEVEL: 'info',
    MIGRATE: true,
    SIZE: 5,
  })
  expect(config.DATABASE_URL.reveal()).toBe('postgres://u:p@h/d')
})

test('one error names every variable that is wrong, and no value', () => {
  const env = { PORT: '99999', LOG_LEVEL: 'hunter2', MIGRATE: 'hunter2', SIZE: '0x1' }
  expect(() => readConfig(Config, env)).toThrow(
    [
      'The configuration is wrong:',
      '  DATABASE_URL is required',
      '  PORT must be between 0 and 65535',
      '  LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent',
      '  MIGRATE must be true or false',
      '  SIZE must be a whole number',
    ].join('\n'),
  )
})

test('a secret prints as [secret] however it is printed', () => {
  const { DATABASE_URL } = readConfig(Config, { DATABASE_URL: 'hunter2' })
  const printed = `${DATABASE_URL} ${JSON.stringify({ DATABASE_URL })} ${inspect({ DATABASE_URL })}`
  expect(printed).not.toContain('hunter2')
})
