import { hkdfSync, type webcrypto } from 'node:crypto'
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { type EncryptionKey, keysIn } from './encryption.ts'

// RFC 9180: whoever has the public key can lock, only whoever has the encryption key can open.
const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
})

/** The key pair follows from the encryption key: all processes that have that have this. */
function keyPairOf(key: Buffer): Promise<webcrypto.CryptoKeyPair> {
  return suite.kem.deriveKeyPair(hkdfSync('sha256', key, '', 'pushkeep credential box', 32))
}

/** The public key of the box that an encryption key opens. */
export async function boxKeyOf(key: EncryptionKey): Promise<Buffer> {
  const { publicKey } = await keyPairOf(keysIn(key)[0])
  return Buffer.from(await suite.kem.serializePublicKey(publicKey))
}

/** Locks a secret so that only the holders of the encryption key can open it, and only for `context`. */
export async function lockInBox(boxKey: Buffer, secret: string, context: string): Promise<Buffer> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(bytesOf(boxKey))
  const { enc, ct } = await suite.seal(
    { recipientPublicKey, info: new TextEncoder().encode(context) },
    new TextEncoder().encode(secret),
  )
  return Buffer.concat([Buffer.from(enc), Buffer.from(ct)])
}

/** Length of what comes before the text: an ephemeral X25519 key. */
const keyBytes = 32

/** Opens what `lockInBox` made; throws where the key, the context or a byte is another one. */
export async function openBox(key: EncryptionKey, boxed: Buffer, context: string): Promise<string> {
  // A box does not say whose it is: one of the keys opens it, or none.
  return Promise.any(keysIn(key).map((one) => openWith(one, boxed, context)))
}

async function openWith(key: Buffer, boxed: Buffer, context: string): Promise<string> {
  const { privateKey } = await keyPairOf(key)
  const opened = await suite.open(
    {
      recipientKey: privateKey,
      enc: bytesOf(boxed.subarray(0, keyBytes)),
      info: new TextEncoder().encode(context),
    },
    bytesOf(boxed.subarray(keyBytes)),
  )
  return new TextDecoder().decode(opened)
}

/** A copy that is no part of a larger pool. */
function bytesOf(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer
}
