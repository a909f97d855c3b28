import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import type { IdentityAlgorithm } from '@pushkeep/domain'
import { type EncryptionKey, putIdentityKey, type Sql } from '@pushkeep/store'
import { SignJWT } from 'jose'

/** A key pair or secret as a customer's backend has it. */
export interface Signer {
  kid: string
  algorithm: IdentityAlgorithm
  /** What signs. */
  key: KeyObject | Buffer
  /** What the app is told: a public key as PEM, or the secret. */
  shown: string
}

export function newSigner(algorithm: IdentityAlgorithm, kid: string): Signer {
  if (algorithm === 'HS256') {
    const secret = randomBytes(32).toString('base64url')
    return { kid, algorithm, key: Buffer.from(secret), shown: secret }
  }
  const { privateKey, publicKey } = keyPair(algorithm)
  const shown = String(publicKey.export({ type: 'spki', format: 'pem' }))
  return { kid, algorithm, key: privateKey, shown }
}

function keyPair(algorithm: Exclude<IdentityAlgorithm, 'HS256'>) {
  switch (algorithm) {
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    case 'EdDSA':
      return generateKeyPairSync('ed25519')
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 2048 })
  }
}

export async function trust(
  sql: Sql,
  appNo: number,
  { kid, algorithm, shown: key }: Signer,
  sealKey: EncryptionKey | null = null,
): Promise<void> {
  await putIdentityKey(sql, { appNo, kid, algorithm, key }, sealKey)
}

export interface Claims {
  sub?: unknown
  /** Seconds from now. */
  exp?: number
  nbf?: number
  aud?: string | string[]
  email?: unknown
  email_verified?: boolean
}

export const nowSeconds = () => Math.floor(Date.now() / 1000)

/** A token as a backend signs it; `header` on top of what is usual. */
export function sign(
  { kid, algorithm, key }: Signer,
  { sub, exp = 300, nbf, aud, ...rest }: Claims,
  header: Record<string, unknown> = {},
): Promise<string> {
  const now = nowSeconds()
  const payload = {
    ...rest,
    ...(sub === undefined ? {} : { sub }),
    exp: now + exp,
    ...(nbf === undefined ? {} : { nbf: now + nbf }),
    ...(aud === undefined ? {} : { aud }),
  }
  // biome-ignore lint/suspicious/noExplicitAny: bad claims on purpose
  return new SignJWT(payload as any)
    .setProtectedHeader({ alg: algorithm, kid, ...header })
    .sign(key)
}
