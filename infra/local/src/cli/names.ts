import { Failure } from './failure.ts'

const lengthMax = 200

/** A name as people give it; fails where it is empty or too long. */
export function nameOf(text: string): string {
  const name = text.trim()
  if (name === '') throw new Failure('the name must not be empty', 2)
  if (name.length > lengthMax) {
    throw new Failure(`the name must be at most ${lengthMax} characters`, 2)
  }
  return name
}
