import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** `public` keys sit in a mobile app's binary; `secret` keys stay on the customer's servers. */
export type KeyKind = 'public' | 'secret'

const prefixes: Record<KeyKind, string> = { public: 'pushkeep_pk_', secret: 'pushkeep_sk_' }

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Digits of base 62 that hold 256 bits, and a CRC-32. */
const randomLength = 43
const checksumLength = 6

// Keys of before 0088 have no checksum, and go on working.
const form = /^(?:(pushkeep_[ps]k_[0-9A-Za-z]{43})([0-9A-Za-z]{6})|[ps]k_[A-Za-z0-9_-]{16,200})$/

/**
 * A new key: a prefix that tells its kind and that secret scanners know, 256 random bits, and a checksum of
 * both (CRC-32), all in letters and digits.
 */
export function generateKey(kind: KeyKind): string {
  const random = BigInt(`0x${randomBytes(32).toString('hex')}`)
  const text = prefixes[kind] + inBase62(random, randomLength)
  return text + checksumOf(text)
}

/**
 * Whether text can be a key: anything else, a key with a wrong letter too, is unknown without asking
 * the database.
 */
export function isKeyText(text: string): boolean {
  const match = form.exec(text)
  if (!match) return false
  const [, body, checksum] = match
  return body === undefined || checksumOf(body) === checksum
}

/** The kind that a key's prefix tells; null where the text can be no key. */
export function keyKindOf(text: string): KeyKind | null {
  if (!isKeyText(text)) return null
  return /^(?:pushkeep_)?sk_/.test(text) ? 'secret' : 'public'
}

/**
 * How a key is stored and looked up, in hex: a map finds it so, without another form of it for each request.
 * A key is random, so that one plain SHA-256 is enough.
 */
export function hashKey(key: string): string {
  return hash('sha256', key, 'hex')
}

function checksumOf(text: string): string {
  return inBase62(BigInt(crc32(text)), checksumLength)
}

function inBase62(value: bigint, length: number): string {
  let text = ''
  for (let rest = value; text.length < length; rest /= 62n) text = digits[Number(rest % 62n)] + text
  return text
}
