import { invalid } from '@pushkeep/runtime'
import { z } from 'zod'
import { readCursor } from './cursor.ts'

/** What each list takes: `limit` (1 to 500 at most) and `cursor`. */
export function pageQuery({ limitMax, limitDefault }: { limitMax: number; limitDefault: number }) {
  const isLimit = (limit: number) => limit >= 1 && limit <= limitMax
  return {
    limit: z
      .string()
      .refine(
        (text) => /^\d{1,3}$/.test(text) && isLimit(Number(text)),
        `must be a whole number between 1 and ${limitMax}`,
      )
      .transform(Number)
      .prefault(String(limitDefault))
      .describe(`At most so many, ${limitDefault} if left out`)
      .meta({ type: 'integer', minimum: 1, maximum: limitMax }),
    cursor: z.string().max(200).optional().describe('`next_cursor` of the page before'),
  }
}

/** Where a page begins; null at the beginning. `list` names the list with its filters. */
export function placeOf(
  list: readonly unknown[],
  cursor: string | undefined,
  path = 'cursor',
): string | null {
  if (cursor === undefined) return null
  const after = readCursor(list, cursor)
  if (after === null) throw invalid([{ path, message: 'is no cursor of this list' }])
  return after
}
