import { hash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Caller } from '@pushkeep/runtime'
import type { CallerProof } from '@pushkeep/store'
import type { IdentityGate } from './gate.ts'
import { installationHeader } from './token-header.ts'

/** How the secret of an installation is stored and compared. */
export function readerHashOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}

/** What a call shows of its right to a device. */
export interface Shown {
  proof: CallerProof
  /** SHA-256, in hex, of the installation's secret; null: the call shows none. */
  shownHash: string | null
}

/** What a caller shows. `secret`: the installation's, where the call has it in its body. */
export function shownBy(
  caller: Caller,
  gate: IdentityGate,
  headers: IncomingHttpHeaders,
  secret?: string,
): Shown {
  const shown = secret ?? secretIn(headers)
  return {
    proof: { isSecretKey: caller.kind === 'secret', personIds: gate.provenIds },
    shownHash: shown === undefined ? null : readerHashOf(shown).toString('hex'),
  }
}

function secretIn(headers: IncomingHttpHeaders): string | undefined {
  const value = headers[installationHeader]
  return typeof value === 'string' && value !== '' ? value : undefined
}
