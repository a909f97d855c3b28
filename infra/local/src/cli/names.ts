import { NameInput } from '@pushkeep/domain'
import { Failure } from './failure.ts'

/** A name as people give it; fails where it is none. */
export function nameOf(text: string): string {
  const checked = NameInput.safeParse(text)
  if (checked.success) return checked.data
  throw new Failure(`the name ${checked.error.issues[0]?.message ?? 'is wrong'}`, 2)
}
