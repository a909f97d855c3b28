import { createHmac, createPublicKey, createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { CompactSign, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { type CheckKey, checkIdentityToken } from '../src/identity/verify.ts'
import { newSigner, nowSeconds, sign } from './identity.ts'

const appId = '0199a0b0-0000-7000-8000-000000000001'
const es = newSigner('ES256', 'es')
const ed = newSigner('EdDSA', 'ed')
const rs = newSigner('RS256', 'rs')
const hs = newSigner('HS256', 'hs')
const all = [es, ed, rs, hs]

function checkKeys(signers = all): CheckKey[] {
  return signers.map(({ kid, algorithm, shown, key }) => ({
    kid,
    algorithm,
    key: algorithm === 'HS256' ? secretKey(key) : createPublicKey(shown),
  }))
}

function secretKey(key: (typeof hs)['key']) {
  if (!Buffer.isBuffer(key)) throw new Error('not a secret')
  return createSecretKey(key)
}

const keys = checkKeys()

async function check(token: string, options: { keys?: CheckKey[]; now?: number } = {}) {
  const checked = await checkIdentityToken({
    token,
    keys: options.keys ?? keys,
    appId,
    now: options.now ?? Date.now(),
  })
  return checked.kind === 'proven' ? `is ${checked.personId}` : checked.doubt
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const payload = () => json({ sub: 'ana', exp: nowSeconds() + 300 })
/** An HMAC under whatever key, with whatever header. */
function forged(header: object, secret: string | Buffer): string {
  const text = `${json(header)}.${payload()}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

test.each(all)('a good token of $algorithm', async (signer) => {
  expect(await check(await sign(signer, { sub: 'ana' }))).toBe('is ana')
})

test.each(['none', 'None', 'NONE', ''])('alg %j, without a signature, is no token', async (alg) => {
  for (const kid of ['es', 'hs', undefined]) {
    expect(await check(`${json({ alg, kid })}.${payload()}.`)).toMatch(
      /signature|malformed|unknown/,
    )
  }
})

test('a public key is no secret: HS256 under its text is refused for every key', async () => {
  for (const { kid, shown } of [es, ed, rs]) {
    const der = createPublicKey(shown).export({ type: 'spki', format: 'der' })
    for (const secret of [shown, shown.trim(), der]) {
      expect(await check(forged({ alg: 'HS256', kid }, secret))).toBe('wrong_signature')
    }
  }
})

test('the algorithm is the key’s: a header that says another one is refused', async () => {
  for (const alg of ['RS256', 'PS256', 'RS512', 'ES384', 'EdDSA', 'HS256', 'HS512', 'none']) {
    const [header, body, signature] = (await sign(es, { sub: 'ana' })).split('.')
    expect(header).toBeDefined()
    const token = `${json({ alg, kid: 'es' })}.${body}.${signature}`
    expect(await check(token)).toMatch(/^(wrong_signature|malformed)$/)
  }
  // RSA keys sign PS256 as well: the app said RS256.
  const token = await new SignJWT({ sub: 'ana', exp: nowSeconds() + 300 })
    .setProtectedHeader({ alg: 'PS256', kid: 'rs' })
    .sign(rs.key)
  expect(await check(token)).toBe('wrong_signature')
})

test('another key under a known name, and a known key under another name', async () => {
  const stranger = newSigner('ES256', 'es')
  expect(await check(await sign(stranger, { sub: 'ana' }))).toBe('wrong_signature')
  expect(await check(await sign({ ...es, kid: 'ed' }, { sub: 'ana' }))).toBe('wrong_signature')
  expect(await check(await sign({ ...es, kid: 'nobody' }, { sub: 'ana' }))).toBe('unknown_key')
  expect(await check(await sign(es, { sub: 'ana' }, { kid: undefined }))).toBe('unknown_key')
  const only = { keys: checkKeys([es]) }
  expect(await check(await sign(es, { sub: 'ana' }, { kid: undefined }), only)).toBe('is ana')
  expect(await check(await sign(es, { sub: 'ana' }), { keys: [] })).toBe('unknown_key')
})

test('a key that the token brings along is not looked at', async () => {
  const stranger = newSigner('ES256', 'es')
  const jwk = createPublicKey(stranger.shown).export({ format: 'jwk' })
  const headers = [{ jwk }, { jku: 'https://evil.example/jwks' }, { x5u: 'https://evil.example' }]
  for (const header of headers) {
    expect(await check(await sign(stranger, { sub: 'ana' }, header))).toBe('wrong_signature')
  }
})

test('a critical header that nobody knows is refused', async () => {
  const token = await new CompactSign(Buffer.from(payload(), 'base64url'))
    .setProtectedHeader({ alg: 'ES256', kid: 'es', crit: ['pay'], pay: 1 })
    .sign(es.key, { crit: { pay: true } })
  expect(await check(token)).toBe('malformed')
})

test.each([
  [-30, 'is ana'],
  [-59, 'is ana'],
  [-61, 'expired'],
  [-100_000, 'expired'],
])('exp %d s ago: %s', async (exp, expected) => {
  expect(await check(await sign(es, { sub: 'ana', exp }))).toBe(expected)
})

test('nbf may be a minute ahead, not more', async () => {
  expect(await check(await sign(es, { sub: 'ana', nbf: 50 }))).toBe('is ana')
  expect(await check(await sign(es, { sub: 'ana', nbf: 90 }))).toBe('not_yet_valid')
})

test('an audience has to have the app', async () => {
  const other = '0199a0b0-0000-7000-8000-000000000002'
  expect(await check(await sign(es, { sub: 'ana', aud: appId }))).toBe('is ana')
  expect(await check(await sign(es, { sub: 'ana', aud: [other, appId] }))).toBe('is ana')
  expect(await check(await sign(es, { sub: 'ana', aud: other }))).toBe('wrong_audience')
  expect(await check(await sign(es, { sub: 'ana', aud: [] }))).toBe('wrong_audience')
})

test.each([[undefined], [''], [5], [null], [['ana']], [{ id: 'ana' }]])(
  'sub %j names nobody',
  async (sub) => {
    expect(await check(await sign(es, { sub }))).toBe('malformed')
  },
)

test('a token for ever is no token', async () => {
  const token = await new SignJWT({ sub: 'ana' })
    .setProtectedHeader({ alg: 'ES256', kid: 'es' })
    .sign(es.key)
  expect(await check(token)).toBe('malformed')
})

test('any text is told from a token', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 200 }), async (text) => {
      expect(await check(text)).toMatch(/malformed|unknown_key/)
    }),
    { numRuns: 300 },
  )
  expect(await check(`${await sign(es, { sub: 'ana' })}${'A'.repeat(5000)}`)).toBe('malformed')
})

test('a token with any bit turned is refused, and what it says does not matter', async () => {
  const tokens = await Promise.all(all.map((signer) => sign(signer, { sub: 'ana' })))
  await fc.assert(
    fc.asyncProperty(fc.nat(tokens.length - 1), fc.nat(), fc.nat(7), async (which, at, bit) => {
      const parts = (tokens[which] ?? '').split('.').map((part) => Buffer.from(part, 'base64url'))
      const bytes = Buffer.concat(parts)
      const place = at % bytes.length
      bytes.writeUInt8(bytes.readUInt8(place) ^ (1 << bit), place)
      let offset = 0
      const turned = parts.map((part) => {
        offset += part.length
        return bytes.subarray(offset - part.length, offset).toString('base64url')
      })
      expect(await check(turned.join('.'))).not.toMatch(/^is /)
    }),
    { numRuns: 1500 },
  )
})
