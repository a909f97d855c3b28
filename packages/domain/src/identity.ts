/**
 * Whether an app asks for identity tokens where a public key names a person: no; it lets all pass
 * and tells what it would refuse; it refuses.
 */
export const identityModes = ['off', 'log', 'required'] as const
export type IdentityMode = (typeof identityModes)[number]

/** How a backend may sign identity tokens. A key has one of these, whatever a token's header says. */
export const identityAlgorithms = ['ES256', 'EdDSA', 'RS256', 'HS256'] as const
export type IdentityAlgorithm = (typeof identityAlgorithms)[number]

/** Why a token proves nothing. */
export type IdentityDoubt =
  | 'missing'
  | 'malformed'
  | 'unknown_key'
  | 'wrong_signature'
  | 'expired'
  | 'not_yet_valid'
  /** It is good for longer than the installation takes. */
  | 'too_long'
  | 'wrong_audience'
  | 'other_person'
  /** Ours: the key that checks it cannot be opened. */
  | 'key_unavailable'

/** What one token of a request is worth. */
export type IdentityProof =
  /** `email`: the address that the token's backend has signed; null: it says none. */
  | { kind: 'proven'; personId: string; email?: string | null }
  | { kind: 'doubtful'; doubt: IdentityDoubt }

/** Whether a call that names a person may go on; `doubt`: it does, but would not where required. */
export type IdentityVerdict =
  | { kind: 'admitted'; isProven: boolean; doubt: IdentityDoubt | null }
  | { kind: 'refused'; doubt: IdentityDoubt }

/** Judges a call of a public key that names a person, by the tokens that came with it. */
export function judgeIdentity(
  mode: IdentityMode,
  proofs: readonly IdentityProof[],
  personId: string,
): IdentityVerdict {
  if (proofs.some((proof) => proof.kind === 'proven' && proof.personId === personId)) {
    return { kind: 'admitted', isProven: true, doubt: null }
  }
  if (mode === 'off') return { kind: 'admitted', isProven: false, doubt: null }
  const doubt = doubtOf(proofs)
  if (mode === 'log') return { kind: 'admitted', isProven: false, doubt }
  return { kind: 'refused', doubt }
}

/** The most telling of what stood against it: what is wrong with a token rather than whose it is. */
function doubtOf(proofs: readonly IdentityProof[]): IdentityDoubt {
  const [first] = proofs.flatMap((proof) => (proof.kind === 'doubtful' ? [proof.doubt] : []))
  return first ?? (proofs.length > 0 ? 'other_person' : 'missing')
}

/** What a new app asks for; `ask`: the person who creates it has to say, since others are less strict. */
export type NewAppMode =
  | { kind: 'mode'; mode: IdentityMode }
  | { kind: 'ask'; strictest: IdentityMode }

/**
 * The mode of a new app in a workspace whose apps have these: `required` unless told otherwise. The
 * strictest mode holds for the whole workspace, so that a stricter new app would refuse the phones of the
 * apps that are there: that has to be said, and is never a default.
 */
export function modeOfNewApp(
  said: IdentityMode | undefined,
  others: readonly IdentityMode[],
): NewAppMode {
  if (said !== undefined) return { kind: 'mode', mode: said }
  const strictest = strictestMode(others)
  if (others.length === 0 || strictest === 'required') return { kind: 'mode', mode: 'required' }
  return { kind: 'ask', strictest }
}

/** The stricter of several apps' modes, where a call may mean any of them; none ask for nothing. */
export function strictestMode(modes: readonly IdentityMode[]): IdentityMode {
  if (modes.includes('required')) return 'required'
  return modes.includes('log') ? 'log' : 'off'
}
