import type { AudienceInput } from './message.ts'

/** What stands for a name in an audience; null: the name stays. */
export interface StandIns {
  person: (id: string) => string | null
  token: (token: string) => string | null
}

export interface RenamedAudience {
  audience: AudienceInput
  isChanged: boolean
  /** Each name that is left stands for an erased person. An audience for everyone names none. */
  namesOnlyErased: boolean
}

const erasedName = /^erased:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(:\d+)?$/

/**
 * The name that stands in an audience for an erased person, or for their `place`-th token. One for each name:
 * a list keeps its length, since planning counts how many of its entries are done.
 */
export function erasedStandIn(erasureId: string, place?: number): string {
  return place === undefined ? `erased:${erasureId}` : `erased:${erasureId}:${place}`
}

/** Puts stand-ins in the place of names. */
export function renameInAudience(to: AudienceInput, standIns: StandIns): RenamedAudience {
  const names: string[] = []
  let isChanged = false
  const renamed = (name: string, standIn: string | null) => {
    if (standIn !== null && standIn !== name) isChanged = true
    names.push(standIn ?? name)
    return standIn ?? name
  }
  const person = (id: string) => renamed(id, standIns.person(id))
  const token = (text: string) => renamed(text, standIns.token(text))
  const audience: AudienceInput = {
    ...to,
    ...(to.person_id !== undefined && { person_id: person(to.person_id) }),
    ...(to.person_ids && { person_ids: to.person_ids.map(person) }),
    ...(to.token !== undefined && { token: token(to.token) }),
    ...(to.tokens && { tokens: to.tokens.map(token) }),
  }
  const namesOnlyErased = names.length > 0 && names.every((name) => erasedName.test(name))
  return { audience, isChanged, namesOnlyErased }
}
