/** What a place of a provider (APNs' production or sandbox, or FCM) said of credentials. */
export interface CredentialFinding {
  place: 'production' | 'sandbox' | 'fcm'
  answer: 'works' | 'refused' | 'unreachable'
  /** In the provider's word; null where it works. */
  reason: string | null
}

/**
 * What came of a check, or of a replacement: `works`, `refused` and `unreachable` left everything as
 * it was, `replaced` did not.
 */
export type CredentialOutcome = CredentialFinding['answer'] | 'replaced'

/** Credentials that one place takes work: a key of APNs may be bound to one of the two. */
export function verdictOf(findings: readonly CredentialFinding[]): CredentialFinding['answer'] {
  const answers = new Set(findings.map(({ answer }) => answer))
  if (answers.has('works')) return 'works'
  return answers.has('refused') ? 'refused' : 'unreachable'
}

/** What becomes of new credentials: refused ones are never stored, unproven ones only by force. */
export function replacementOutcome(
  findings: readonly CredentialFinding[],
  isForced: boolean,
): CredentialOutcome {
  const verdict = verdictOf(findings)
  switch (verdict) {
    case 'works':
      return 'replaced'
    case 'refused':
      return 'refused'
    case 'unreachable':
      return isForced ? 'replaced' : 'unreachable'
  }
}
