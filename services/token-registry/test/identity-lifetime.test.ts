import { createPublicKey, KeyObject, sign as signBytes } from 'node:crypto'
import { readConfig } from '@pushkeep/runtime'
import { expect, test } from 'vitest'
import { Config } from '../src/config.ts'
import { checkIdentityToken } from '../src/identity/verify.ts'
import { newSigner, nowSeconds } from './identity.ts'

const day = 86_400
const signer = newSigner('ES256', 'key')
const keys = [{ kid: 'key', algorithm: 'ES256', key: createPublicKey(signer.shown) } as const]

/** A token of a backend whose claims are this text: JSON libraries write no number that is infinite. */
function tokenOf(claims: string): string {
  if (!(signer.key instanceof KeyObject)) throw new Error('not a key')
  const [header, payload] = ['{"alg":"ES256","kid":"key"}', claims].map((text) =>
    Buffer.from(text).toString('base64url'),
  )
  const signed = Buffer.from(`${header}.${payload}`)
  const signature = signBytes('sha256', signed, { key: signer.key, dsaEncoding: 'ieee-p1363' })
  return `${header}.${payload}.${signature.toString('base64url')}`
}

async function check(exp: string | number, rest: object = {}): Promise<string> {
  const token = tokenOf(`{"sub":"ana","exp":${exp}}`)
  const checked = await checkIdentityToken({ token, keys, appId: 'app', now: Date.now(), ...rest })
  return checked.kind === 'proven' ? checked.kind : checked.doubt
}

test.each([
  [300, 'proven'],
  [29 * day, 'proven'],
  [30 * day, 'proven'],
  [31 * day, 'too_long'],
  [366 * day, 'too_long'],
  [3650 * day, 'too_long'],
])('a token that is good for %d seconds: %s', async (seconds, expected) => {
  expect(await check(nowSeconds() + seconds)).toBe(expected)
})

test.each(['1e400', '9e999', '1e308', '9007199254740993', '253402300800'])(
  'a token until %s, as good as for ever, is refused',
  async (exp) => {
    expect(await check(exp)).toMatch(/^(malformed|too_long)$/)
  },
)

test.each(['-1e400', '0', '-1', 'null', 'true', '"9999999999"', '[9999999999]', '{}'])(
  'an end that is none or long past is refused: %s',
  async (exp) => {
    expect(await check(exp)).toMatch(/^(malformed|expired)$/)
  },
)

test('an installation may take longer ones, or shorter ones alone', async () => {
  expect(await check(nowSeconds() + 364 * day, { lifetimeDaysMax: 365 })).toBe('proven')
  expect(await check(nowSeconds() + 2 * day, { lifetimeDaysMax: 1 })).toBe('too_long')
})

test('a token that was good for too long is good once its end is near enough', async () => {
  const exp = nowSeconds() + 31 * day
  expect(await check(exp)).toBe('too_long')
  expect(await check(exp, { now: Date.now() + 2 * day * 1000 })).toBe('proven')
})

test('the setting is a number of days', () => {
  const env = { DATABASE_URL: 'postgres://localhost/x' }
  expect(readConfig(Config, env).REGISTRY_IDENTITY_TOKEN_DAYS).toBe(30)
  const set = (REGISTRY_IDENTITY_TOKEN_DAYS: string) =>
    readConfig(Config, { ...env, REGISTRY_IDENTITY_TOKEN_DAYS }).REGISTRY_IDENTITY_TOKEN_DAYS
  expect(set('365')).toBe(365)
  for (const wrong of ['0', '-1', '1.5', '3651', 'week', 'Infinity']) {
    expect(() => set(wrong)).toThrow('REGISTRY_IDENTITY_TOKEN_DAYS')
  }
})
