import {
  addressOf,
  limiterOf,
  type NoteAttempt,
  ProblemError,
  refusalByTerms,
  spendOrRefuse,
  tooMany,
} from '@pushkeep/runtime'
import {
  coalesce,
  type Database,
  findKeys,
  hashKey,
  isKeyText,
  type KeyOwner,
} from '@pushkeep/store'
import type { FastifyRequest } from 'fastify'

export type SecretOwner = Extract<KeyOwner, { kind: 'secret' }>

export interface DoorDeps {
  database: Database
  /** Told of tries that failed. */
  noteAttempt: NoteAttempt
}

/**
 * Judges the keys that are shown to sign in. Keys that arrive together are looked up by one statement, and one
 * statement runs at a time: wrong keys delay a right one by some milliseconds and never refuse it. Failed
 * tries are counted by address (`sign_ins`), calls with a right key by key (`console`).
 *
 * The returned function throws 401 `wrong_key` or `key_expired`, 403 `public_key` or `address_not_allowed`,
 * 429 `too_many_sign_ins` in place of these where the address failed too often, and 429 of `console`.
 */
export function createDoor({ database, noteAttempt }: DoorDeps) {
  const find = coalesce<string, { owner: KeyOwner | null }>({
    run: async (hashes) => (await findKeys(database, hashes)).map((owner) => ({ owner })),
    sizeMax: 200,
    runsMax: 1,
    waitingMax: 10_000,
  })

  return async (request: FastifyRequest, key: string): Promise<SecretOwner> => {
    const owner = isKeyText(key) ? (await find(hashKey(key))).owner : null
    const judged = judge(owner, request.ip)
    if (judged instanceof ProblemError) {
      const { code } = judged.problem
      noteAttempt({ actor: null, address: request.ip, action: 'session.refused', code })
      throw afterFailure(request, judged)
    }
    spendOrRefuse(request, [{ limit: 'console', name: judged.keyId, cost: 1 }])
    return judged
  }
}

/** The owner where its key signs in; else why it does not. It does not say whose a public key is. */
function judge(owner: KeyOwner | null, address: string): SecretOwner | ProblemError {
  if (!owner) {
    return new ProblemError(401, 'wrong_key', { detail: 'there is no such key, or it is revoked' })
  }
  if (owner.kind === 'public') {
    return new ProblemError(403, 'public_key', {
      detail: 'this is a public key, for mobile apps; sign in with a secret one (pushkeep_sk_…)',
    })
  }
  return refusalByTerms(owner, address, Date.now()) ?? owner
}

/** The refusal itself, or 429 where its address failed too often. */
function afterFailure(request: FastifyRequest, refusal: ProblemError): ProblemError {
  const limiter = limiterOf(request)
  const charge = { limit: 'sign_ins', name: addressOf(request), cost: 1 } as const
  const tooOften = limiter?.spend([charge]) ?? null
  return limiter && tooOften ? tooMany(limiter, tooOften, 'too_many_sign_ins') : refusal
}
