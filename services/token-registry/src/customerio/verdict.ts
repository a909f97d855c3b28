import { invalid, type ProblemError, tooManyDevices } from '@pushkeep/runtime'
import type { Command, CommandVerdict } from '@pushkeep/store'
import { tooLargeMessage } from '../too-large.ts'
import type { Call } from './perform.ts'

/**
 * Why a command changed nothing, as its caller is told; null: it is done. How much is stored of a person is told to a
 * secret key and to the person alone.
 */
export function refusalOf(
  { caller, gate }: Pick<Call, 'caller' | 'gate'>,
  command: Command,
  verdict: CommandVerdict | undefined,
): ProblemError | null {
  switch (verdict) {
    case 'done':
    case 'repeated':
    case undefined:
      return null
    case 'too_many_devices':
      return tooManyDevices('identifiers')
    case 'too_large': {
      const mayBeTold =
        caller.kind === 'secret' || (command.kind === 'identify' && gate.proves(command.call.id))
      return mayBeTold ? invalid([{ path: 'attributes', message: tooLargeMessage }]) : null
    }
  }
}
