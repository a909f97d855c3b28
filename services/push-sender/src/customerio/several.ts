import { invalid } from '@pushkeep/runtime'
import { type PersonReference, SeveralPeopleError } from '@pushkeep/store'

type Find = (reference: PersonReference) => Promise<string | null>

/** Finds people; an address that several people have is refused. */
export function refusingSeveral(find: Find): Find {
  return (reference) =>
    find(reference).catch((error: unknown) => {
      if (!(error instanceof SeveralPeopleError)) throw error
      throw invalid([
        { path: 'identifiers.email', message: 'is the address of several people: name one by id' },
      ])
    })
}
