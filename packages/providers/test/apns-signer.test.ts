import { generateKeyPairSync, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { ProviderTokenSigner } from '../src/apns/signer.ts'
import { noon } from './messages.ts'

const minute = 60_000
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

function signerAt(clock: { now: number }) {
  const credentials = {
    teamId: 'TEAM123456',
    keyId: 'KEY1234567',
    topic: 'com.example.app',
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    environment: 'production' as const,
  }
  return new ProviderTokenSigner(credentials, () => clock.now)
}

function decode(part: string | undefined): unknown {
  return JSON.parse(Buffer.from(part ?? '', 'base64url').toString())
}

test('the token is an ES256 JWT with the key, the team and the time in seconds', () => {
  const authorization = signerAt({ now: noon }).authorization()
  expect(authorization).toMatch(/^bearer /)
  const [header, claims, signature] = authorization.slice(7).split('.')
  expect(decode(header)).toEqual({ alg: 'ES256', kid: 'KEY1234567' })
  expect(decode(claims)).toEqual({ iss: 'TEAM123456', iat: noon / 1000 })
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
  const signed = Buffer.from(`${header}.${claims}`)
  expect(verify('sha256', signed, key, Buffer.from(signature ?? '', 'base64url'))).toBe(true)
})

test('it is kept for 50 minutes and then renewed', () => {
  const clock = { now: noon }
  const signer = signerAt(clock)
  const first = signer.authorization()
  clock.now += 50 * minute - 1
  expect(signer.authorization()).toBe(first)
  clock.now += 1
  expect(signer.authorization()).not.toBe(first)
})

test('a clock that is set back far renews it', () => {
  const clock = { now: noon }
  const signer = signerAt(clock)
  const first = signer.authorization()
  clock.now -= 60 * minute
  expect(signer.authorization()).not.toBe(first)
})

test('a token that APNs calls expired is renewed out of turn once in 20 minutes', () => {
  const clock = { now: noon }
  const signer = signerAt(clock)
  const first = signer.authorization()
  clock.now += 1000
  expect(signer.renew(first)).toBe(true)
  const second = signer.authorization()
  expect(second).not.toBe(first)
  // Others that had been sent with the first one find the second one made.
  expect(signer.renew(first)).toBe(true)
  expect(signer.authorization()).toBe(second)
  expect(signer.renew(second)).toBe(false)
  clock.now += 20 * minute
  expect(signer.renew(second)).toBe(true)
  expect(signer.authorization()).not.toBe(second)
})
