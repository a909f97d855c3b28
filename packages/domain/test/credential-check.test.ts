import { expect, test } from 'vitest'
import { type CredentialFinding, replacementOutcome, verdictOf } from '../src/index.ts'

const finding = (answer: CredentialFinding['answer']): CredentialFinding => ({
  place: 'production',
  answer,
  reason: null,
})

test.each<[CredentialFinding['answer'][], string, string, string]>([
  [['works', 'works'], 'works', 'replaced', 'replaced'],
  [['works', 'refused'], 'works', 'replaced', 'replaced'],
  [['unreachable', 'works'], 'works', 'replaced', 'replaced'],
  [['refused', 'unreachable'], 'refused', 'refused', 'refused'],
  [['refused'], 'refused', 'refused', 'refused'],
  [['unreachable', 'unreachable'], 'unreachable', 'unreachable', 'replaced'],
  [[], 'unreachable', 'unreachable', 'replaced'],
])('%j: %s; a replacement is %s, by force %s', (answers, verdict, outcome, forced) => {
  const findings = answers.map(finding)
  expect(verdictOf(findings)).toBe(verdict)
  expect(replacementOutcome(findings, false)).toBe(outcome)
  expect(replacementOutcome(findings, true)).toBe(forced)
})
