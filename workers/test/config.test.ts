import { expect, test } from 'vitest'
import { readWorkersConfig } from '../src/config.ts'

test('everything that is wrong is named at once, and no value is repeated', () => {
  const read = () =>
    readWorkersConfig({ PUSHKEEP_ENCRYPTION_KEY: 'c2hvcnQ=', APNS_PRODUCTION_URL: 'nowhere' })
  expect(read).toThrow(/DATABASE_URL is required/)
  expect(read).toThrow(/PUSHKEEP_ENCRYPTION_KEY must be 32 random bytes in base64/)
  expect(read).toThrow(/APNS_PRODUCTION_URL must be a URL/)
  expect(read).not.toThrow(/c2hvcnQ=|nowhere/)
})

test('the real providers are what is sent to where nothing else is said', () => {
  const config = readWorkersConfig({
    DATABASE_URL: 'postgres://localhost/pushkeep',
    PUSHKEEP_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
  })
  expect(config).toMatchObject({
    APNS_PRODUCTION_URL: 'https://api.push.apple.com',
    APNS_SANDBOX_URL: 'https://api.sandbox.push.apple.com',
    FCM_URL: 'https://fcm.googleapis.com',
  })
})

const required = {
  DATABASE_URL: 'postgres://localhost/pushkeep',
  PUSHKEEP_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
}

test.each([
  ['TEMPLATE_RENDER_MS', 25, [5, 50], [0, 4, 51]],
  ['CHUNK_STRANDED_MAX', 10, [2, 100], [0, 1, 101]],
] as const)('%s is %d where nothing is said, and within its range', (name, usual, good, bad) => {
  expect(readWorkersConfig(required)).toMatchObject({ [name]: usual })
  for (const value of good) {
    const config = readWorkersConfig({ ...required, [name]: String(value) })
    expect(config).toMatchObject({ [name]: value })
  }
  for (const value of bad) {
    expect(() => readWorkersConfig({ ...required, [name]: String(value) })).toThrow(name)
  }
})
