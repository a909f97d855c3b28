import type { Tie } from './registration-rule.ts'

/** What a caller has shown of itself beside its key. */
export interface CallerProof {
  /** A secret key speaks for every person and every device. */
  isSecretKey: boolean
  /** The people whose identity tokens came with the call. */
  personIds: readonly string[]
}

/** A public key, and nothing else. */
export const noProof: CallerProof = { isSecretKey: false, personIds: [] }

export const secretKeyProof: CallerProof = { isSecretKey: true, personIds: [] }

/** Whether a caller that names a person has shown to speak for them: a secret key, or their identity token. */
export function vouchesFor({ isSecretKey, personIds }: CallerProof, personId: string): boolean {
  return isSecretKey || personIds.includes(personId)
}

/** What a device has on record against strangers. */
export interface Guarded {
  /** SHA-256, in hex, of its installation's secret; null: none is on record. */
  readerHash: string | null
  person: Tie | null
}

/** Whether the caller has shown a right to a device: a secret key, its installation's secret, or an identity token of its person. */
export function isKnownTo(
  { readerHash, person }: Guarded,
  proof: CallerProof,
  shownHash: string | null,
): boolean {
  if (proof.isSecretKey) return true
  if (readerHash !== null && readerHash === shownHash) return true
  return person !== null && proof.personIds.includes(person.id)
}

/**
 * Whether the caller may take from a device: retire it, inherit from it, delete it, untie it, switch it
 * off. A device without a secret on record has nothing to compare with: its token is enough.
 */
export function mayTakeFrom(
  device: Guarded,
  proof: CallerProof,
  shownHash: string | null,
): boolean {
  return device.readerHash === null || isKnownTo(device, proof, shownHash)
}
