import { UnixSeconds } from '@pushkeep/domain'
import { pageQuery, placeOf } from '../paging.ts'

/** `start` and `limit` of the App API's lists. */
export function appApiPage(limits: { limitMax: number; limitDefault: number }) {
  const { limit, cursor } = pageQuery(limits)
  return { limit, start: cursor.describe('`next` of the page before') }
}

/** Where a page begins; null at the beginning. An empty `next` is the end, and begins anew. */
export function startOf(list: readonly unknown[], start: string | undefined): string | null {
  return placeOf(list, start === '' ? undefined : start, 'start')
}

/** A bound of time in a query, in unix seconds; yields ms. */
export const TimeBound = UnixSeconds.transform((seconds) => seconds * 1000).optional()
