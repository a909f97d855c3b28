import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/**
 * A 256-bit key, from `PUSHKEEP_ENCRYPTION_KEY` or `PUSHKEEP_IDENTITY_KEY`; or several: the first seals, each
 * opens.
 */
export type EncryptionKey = Buffer | readonly [Buffer, ...Buffer[]]

/** The keys that open, the one that seals first. */
export function keysIn(key: EncryptionKey): readonly [Buffer, ...Buffer[]] {
  return Buffer.isBuffer(key) ? [key] : key
}

/** Most keys at a time: the one in use, the one before, the one that comes. */
const keysMax = 3

/** Reads keys of 32 bytes in base64, several by commas; throws without repeating them. */
export function parseEncryptionKey(text: string): EncryptionKey {
  const [first, ...others] = text.split(',').map((part) => Buffer.from(part.trim(), 'base64'))
  if (!first || others.length >= keysMax || [first, ...others].some((key) => key.length !== 32)) {
    throw new Error('must be 32 random bytes in base64, or up to three such by commas')
  }
  return [first, ...others]
}

// Layout of a sealed secret: 4 bytes that name the key, 12 of nonce, 16 of tag, then the text.
const nonceAt = 4
const tagAt = 16
const textAt = 32

function nameOf(key: Buffer): Buffer {
  return createHash('sha256').update('pushkeep key name').update(key).digest().subarray(0, nonceAt)
}

/** What sealed texts begin with that were sealed with this key. */
export function sealName(key: EncryptionKey): Buffer {
  return nameOf(keysIn(key)[0])
}

/** Seals a secret with AES-256-GCM; `context` binds it to its row, so that rows cannot be swapped. */
export function seal(key: EncryptionKey, secret: string, context: string): Buffer {
  const nonce = randomBytes(12)
  const [first] = keysIn(key)
  const cipher = createCipheriv('aes-256-gcm', first, nonce).setAAD(Buffer.from(context))
  const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return Buffer.concat([nameOf(first), nonce, cipher.getAuthTag(), text])
}

/** Opens what `seal` made; throws where the key, the context or a byte is another one. */
export function unseal(key: EncryptionKey, sealed: Buffer, context: string): string {
  const name = sealed.subarray(0, nonceAt)
  const own = keysIn(key).find((one) => nameOf(one).equals(name))
  if (!own) throw new Error('the secret was sealed with another encryption key')
  const decipher = createDecipheriv('aes-256-gcm', own, sealed.subarray(nonceAt, tagAt))
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(tagAt, textAt))
  return Buffer.concat([decipher.update(sealed.subarray(textAt)), decipher.final()]).toString()
}
