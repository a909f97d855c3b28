import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** A 256-bit key, from `PUSHKEEP_ENCRYPTION_KEY`. */
export type EncryptionKey = Buffer

/** Reads a key of 32 bytes in base64; throws without repeating it. */
export function parseEncryptionKey(text: string): EncryptionKey {
  const key = Buffer.from(text, 'base64')
  if (key.length !== 32) throw new Error('must be 32 random bytes in base64')
  return key
}

// Layout of a sealed secret: 4 bytes that name the key, 12 of nonce, 16 of tag, then the text.
const nonceAt = 4
const tagAt = 16
const textAt = 32

function nameOf(key: EncryptionKey): Buffer {
  return createHash('sha256').update('pushkeep key name').update(key).digest().subarray(0, nonceAt)
}

/** Seals a secret with AES-256-GCM; `context` binds it to its row, so that rows cannot be swapped. */
export function seal(key: EncryptionKey, secret: string, context: string): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
  const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return Buffer.concat([nameOf(key), nonce, cipher.getAuthTag(), text])
}

/** Opens what `seal` made; throws where the key, the context or a byte is another one. */
export function unseal(key: EncryptionKey, sealed: Buffer, context: string): string {
  if (!sealed.subarray(0, nonceAt).equals(nameOf(key))) {
    throw new Error('the secret was sealed with another encryption key')
  }
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(nonceAt, tagAt))
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(tagAt, textAt))
  return Buffer.concat([decipher.update(sealed.subarray(textAt)), decipher.final()]).toString()
}
