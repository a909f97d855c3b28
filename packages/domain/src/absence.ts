/** What is known of a message and a device that was none of its recipients. Times in µs since 1970. */
export interface AbsenceFacts {
  /** Whether the message is for another app than the device's. */
  isForOtherApp: boolean
  /** Whether its audience names the person, the token or everyone. */
  isNamed: boolean
  /** When the audience was made out; null: not yet. */
  plannedAt: number | null
  /** When the token was registered for the first time. */
  createdAt: number
  /** When the device became this person's; null: not known. */
  tiedAt: number | null
}

/**
 * Why a device was no recipient of a message. `unknown`: nothing that is kept explains it, such as a
 * device that was untied at that time.
 */
export type Absence =
  | 'other_app'
  | 'not_named'
  | 'not_planned_yet'
  | 'registered_later'
  | 'tied_later'
  | 'unknown'

/** The first that holds, in the order in which an audience becomes recipients. */
export function absenceOf(facts: AbsenceFacts): Absence {
  if (facts.isForOtherApp) return 'other_app'
  if (!facts.isNamed) return 'not_named'
  if (facts.plannedAt === null) return 'not_planned_yet'
  if (facts.createdAt > facts.plannedAt) return 'registered_later'
  if (facts.tiedAt !== null && facts.tiedAt > facts.plannedAt) return 'tied_later'
  return 'unknown'
}
