import { invalid } from '@pushkeep/runtime'
import type { z } from 'zod'

/** A place between two pages as callers hold it: opaque, and safe in a query. */
export function formatCursor(place: readonly string[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** Reads a cursor back; 422 for what no page ended with. */
export function parseCursor<Place extends z.ZodType>(place: Place, text: string): z.output<Place> {
  try {
    return place.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
  } catch {
    throw invalid([{ path: 'cursor', message: 'must be the next_cursor of a page' }])
  }
}
