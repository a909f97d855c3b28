import { invalid } from '@pushkeep/runtime'
import { isAttributesTooLarge } from '@pushkeep/store'

/** For `catch`: attributes that grew too large with those stored are the caller's to mend. */
export function refuseTooLarge(path: string): (error: unknown) => never {
  return (error) => {
    if (!isAttributesTooLarge(error)) throw error
    throw invalid([{ path, message: 'would, together with those stored, be over 256 KiB' }])
  }
}
