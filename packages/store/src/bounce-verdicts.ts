import {
  peopleInSketch,
  type RecentVerdicts,
  sketchBits,
  sketchSlotOf,
  type Verdicts,
} from '@pushkeep/domain'

/** A sketch that has seen no one, as an expression of SQL. */
export const emptySketch = `b'0'::bit(${sketchBits})`

/**
 * Whether a row of `bounce_minutes` was counted by versions that keep the sketch alone: what an older one counted
 * were pushes, or tokens.
 */
export const isOfPeople = (row: string) =>
  `(${row}.accepted is not null and ${row}.counted = ${row}.judged)`

/** The bit of a delivery's person in the sketch; of its device where it has no person. */
export function slotOf({ personNo, deviceNo }: { personNo: number | null; deviceNo: number }) {
  return sketchSlotOf(personNo ?? -deviceNo)
}

/** What is on record of a time: pushes and dead people that were counted, and the sketch of people accepted. */
export interface CountedVerdicts {
  judged: number
  dead: number
  accepted: string | null
}

/** Verdicts as they are on record. */
export interface CountedRecently {
  minute: CountedVerdicts
  hour: CountedVerdicts
  usualShare: number | null
}

/** The verdicts as people: those accepted are never more than the pushes that were. */
export function inPeople({ minute, hour, usualShare }: CountedRecently): RecentVerdicts {
  return { minute: peopleOf(minute), hour: peopleOf(hour), usualShare }
}

function peopleOf({ judged, dead, accepted }: CountedVerdicts): Verdicts {
  const pushes = judged - dead
  const people = accepted === null ? 0 : (peopleInSketch(accepted) ?? pushes)
  return { judged: dead + Math.min(pushes, people), dead }
}
