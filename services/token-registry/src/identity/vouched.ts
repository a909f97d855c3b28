import type { Attributes } from '@pushkeep/domain'
import type { Caller } from '@pushkeep/runtime'
import type { IdentityGate } from './gate.ts'

/** What an identification says, and who vouches for it. */
export interface Vouched {
  attributes: Attributes
  isVouched: boolean
  vouchesEmail: boolean
}

/**
 * What a caller may say of a person's address. A secret key vouches for it. Of a public key it is an
 * attribute, unless the identity token signs one: that one counts, whatever the body says.
 */
export function vouchedBy(
  { kind }: Caller,
  gate: IdentityGate,
  personId: string,
  attributes: Attributes,
): Vouched {
  if (kind === 'secret') return { attributes, isVouched: true, vouchesEmail: true }
  const email = gate.emailOf(personId)
  const said = email === null ? attributes : { ...attributes, email }
  return { attributes: said, isVouched: gate.proves(personId), vouchesEmail: email !== null }
}
