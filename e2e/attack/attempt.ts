/** One attempt of an attacker. `run` returns what came back that should not have, or null where it held. */
export interface Attempt {
  name: string
  run: () => Promise<string | null>
}

/** Attempts against one part, and what has to work so that refusals prove something. */
export interface Section {
  name: string
  /** Throws where the part does not serve at all. */
  control: () => Promise<void>
  attempts: Attempt[]
}

/** A risk that is taken: it is printed, and does not count as held. */
export interface TakenRisk {
  name: string
  reason: string
}

export interface Answer {
  status: number
  text: string
  headers: Headers
}

/** Held where a status is one of these, and the text has none of the secrets. */
export function unless(
  { status, text }: Answer,
  allowed: readonly number[],
  secrets: readonly string[] = [],
): string | null {
  if (!allowed.includes(status)) return `${status} ${text.slice(0, 200)}`
  const told = secrets.filter((secret) => text.includes(secret))
  return told.length > 0 ? `${status} tells ${told.length} secrets` : null
}
