import type { OpenBreaker } from '@pushkeep/store'

/** The breaker that holds all of a lane back for longest; null where none does. */
export function longestOpen(breakers: readonly OpenBreaker[]): OpenBreaker | null {
  const ofLane = breakers.filter(({ messageId }) => messageId === null)
  return ofLane.toSorted((one, other) => other.openUntil - one.openUntil)[0] ?? null
}

/** The messages that a worker holds back alone, each once. */
export function messagesHeld(breakers: readonly OpenBreaker[]): string[] {
  return [...new Set(breakers.flatMap(({ messageId }) => messageId ?? []))]
}
