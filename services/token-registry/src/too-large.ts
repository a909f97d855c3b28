import { type Caller, invalid, tooManyDevices } from '@pushkeep/runtime'
import {
  isAttributesTooLarge,
  type Registered,
  type Registration,
  TooManyDevicesError,
} from '@pushkeep/store'
import type { FastifyBaseLogger } from 'fastify'
import type { Places } from './registration.ts'

/** Of attributes that grow too large, or too many, with those stored. */
export const tooLargeMessage =
  'would, together with those stored, be over 256 KiB or over the most that there may be'

/** For `catch`: attributes that grew too large with those stored are the caller's to mend. */
export function refuseTooLarge(path: string): (error: unknown) => never {
  return (error) => {
    if (!isAttributesTooLarge(error)) throw error
    throw invalid([{ path, message: tooLargeMessage }])
  }
}

/**
 * The same for a caller that is not known to be the person: how much is stored of a person is more than a
 * public key is told. The attributes are left out, and the log says so.
 */
export function leaveTooLarge(log: FastifyBaseLogger): (error: unknown) => null {
  return (error) => {
    if (!isAttributesTooLarge(error)) throw error
    noteLeft(log)
    return null
  }
}

/** What was left out, in the log: the answer to a public key cannot say it. */
export function noteLeft(log: FastifyBaseLogger): void {
  log.warn(
    { event: 'attributes.left_out' },
    'attributes were left out: with those stored they would be too large or too many',
  )
}

/** A registration without the attributes that it would set. */
export function withoutAttributes(call: Registration): Registration {
  return { ...call, change: { ...call.change, set: {} } }
}

/**
 * Registers a device. Of a public key the token is kept where its attributes would grow too large: the
 * token is the last thing to lose, and the answer is the same as for any other. A person who has as many devices as one
 * may have is refused, to every caller: no token is dropped in silence.
 */
export async function registerFitting(
  register: (call: Registration) => Promise<Registered>,
  caller: Caller,
  call: Registration,
  { prefix, person }: Places,
  log: FastifyBaseLogger,
): Promise<Registered> {
  const registerOne = (one: Registration) => register(one).catch(refuseTooMany(person))
  const registered = registerOne(call)
  if (caller.kind === 'secret') return registered.catch(refuseTooLarge(`${prefix}attributes`))
  return (await registered.catch(leaveTooLarge(log))) ?? registerOne(withoutAttributes(call))
}

/** For `catch`: one more device than a person may have. `path` names the person. */
function refuseTooMany(path: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof TooManyDevicesError ? tooManyDevices(path, error.devicesMax) : error
  }
}
