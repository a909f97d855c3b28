import type { IncomingHttpHeaders } from 'node:http'
import {
  type IdentityDoubt,
  type IdentityMode,
  type IdentityProof,
  type IdentityVerdict,
  judgeIdentity,
  strictestMode,
} from '@pushkeep/domain'
import { type Caller, ProblemError, unavailable } from '@pushkeep/runtime'
import type { NoteDoubt } from './doubt-log.ts'
import type { AppKeys, Keyring } from './keyring.ts'
import { identityTokensOf } from './token-header.ts'

/** Who the caller of one request may speak for. */
export interface IdentityGate {
  /** Whether the call may name this person. */
  judge(personId: string): IdentityVerdict
  /** The same for a call that stands alone: throws the 403 that says why not. */
  admit(personId: string): { isProven: boolean }
  /** Whether the caller has shown to be this person, whatever the app asks for. */
  proves(personId: string): boolean
  /** Whether a tie that the call does not name, but would take over, has to be proven. */
  isRequired: boolean
  /** The people whose identity tokens came with the call. */
  provenIds: readonly string[]
  /** The address that an identity token of this person signs; null: none does. */
  emailOf(personId: string): string | null
}

/** Opens the gate of one request; `appNo`: the app that it is about, null where it names none. */
export type OpenGate = (
  caller: Caller,
  headers: IncomingHttpHeaders,
  appNo: number | null,
) => Promise<IdentityGate> | IdentityGate

export interface GateOptions {
  keyring: Keyring
  noteDoubt: NoteDoubt
  /** In ms since the epoch. */
  now?: () => number
}

const proven: IdentityVerdict = { kind: 'admitted', isProven: true, doubt: null }

/** Secret keys speak for everybody. */
const openGate: IdentityGate = {
  judge: () => proven,
  admit: () => proven,
  proves: () => true,
  isRequired: false,
  provenIds: [],
  emailOf: () => null,
}

/**
 * Identity tokens, wherever a public key names a person. People belong to the workspace, so that each key
 * is held to the strictest of its apps. A token counts if it is for the call's app; for any app, where the
 * call means several; for one of the strictest apps, where the call's app has no keys of its own.
 */
export function createGate({ keyring, noteDoubt, now = Date.now }: GateOptions): OpenGate {
  return (caller, headers, appNo) => {
    if (caller.kind === 'secret') return openGate
    const tokens = identityTokensOf(headers)
    const wanted = appNo ?? caller.appNo
    const apps = keyring(caller.workspaceNo)
    const open = (all: AppKeys[]) => openFor(all, wanted, tokens)
    return apps instanceof Promise ? apps.then(open) : open(apps)
  }

  function openFor(
    apps: readonly AppKeys[],
    wanted: number | null,
    tokens: readonly string[],
  ): Promise<IdentityGate> | IdentityGate {
    const mode = strictestMode(apps.map((app) => app.mode))
    const checkers = checkersOf(apps, wanted, mode)
    const appId = (checkers.find((app) => app.mode === mode) ?? checkers[0])?.appId ?? ''
    if (tokens.length === 0) return gateOf(mode, appId, [])
    const at = now()
    const checks = tokens.map((token) => checkAny(checkers, token, at))
    return Promise.all(checks).then((proofs) => gateOf(mode, appId, proofs))
  }

  function gateOf(
    mode: IdentityMode,
    appId: string,
    proofs: readonly IdentityProof[],
  ): IdentityGate {
    const provenIds = proofs.flatMap((proof) => (proof.kind === 'proven' ? [proof.personId] : []))
    const judge = (personId: string) => {
      const verdict = judgeIdentity(mode, proofs, personId)
      if (verdict.doubt !== null) noteDoubt(appId, verdict.doubt)
      return verdict
    }
    return {
      judge,
      admit(personId) {
        const verdict = judge(personId)
        if (verdict.kind === 'refused') throw identityRefused(verdict.doubt)
        return verdict
      },
      proves: (personId) => provenIds.includes(personId),
      isRequired: mode === 'required',
      provenIds,
      emailOf: (personId) =>
        proofs
          .flatMap((proof) =>
            proof.kind === 'proven' && proof.personId === personId ? [proof.email ?? null] : [],
          )
          .find((email) => email !== null) ?? null,
    }
  }
}

/** The apps whose keys a call's tokens may be signed with. */
function checkersOf(
  apps: readonly AppKeys[],
  wanted: number | null,
  mode: IdentityMode,
): readonly AppKeys[] {
  if (wanted === null) return apps
  const own = apps.filter((app) => app.appNo === wanted)
  return own.some((app) => app.hasKeys) ? own : apps.filter((app) => app.mode === mode)
}

/** A token's proof for whichever of the apps it is, else the first doubt. */
async function checkAny(
  apps: readonly AppKeys[],
  token: string,
  now: number,
): Promise<IdentityProof> {
  const proofs = await Promise.all(apps.map((app) => app.check(token, now)))
  const found = proofs.find((proof) => proof.kind === 'proven')
  const told = proofs.find((proof) => proof.kind === 'doubtful' && proof.doubt !== 'unknown_key')
  return found ?? told ?? proofs[0] ?? { kind: 'doubtful', doubt: 'unknown_key' }
}

const details: Record<IdentityDoubt, [code: string, detail: string]> = {
  missing: ['identity_token_missing', 'this app needs an identity token of the person'],
  expired: ['identity_token_expired', 'the identity token has expired'],
  not_yet_valid: ['identity_token_invalid', 'the identity token is not valid yet'],
  malformed: ['identity_token_invalid', 'the identity token is not a JWT with sub and exp'],
  too_long: ['identity_token_invalid', 'the identity token is good for longer than is taken'],
  unknown_key: ['identity_token_invalid', 'the identity token names no key of this app'],
  wrong_signature: ['identity_token_invalid', "the identity token's signature does not hold"],
  wrong_audience: ['identity_token_invalid', 'the identity token is for another app'],
  other_person: ['identity_token_missing', 'no identity token that was sent is of this person'],
  key_unavailable: ['identity_unavailable', 'identity tokens cannot be checked now'],
}

/** What is said of a refusal: the code that programs know, and words. */
export function refusalOf(doubt: IdentityDoubt): { code: string; detail: string } {
  const [code, detail] = details[doubt]
  return { code, detail }
}

/** 403: the public key has to come with an identity token. 503 where that is our fault. */
export function identityRefused(doubt: IdentityDoubt): ProblemError {
  const { code, detail } = refusalOf(doubt)
  return doubt === 'key_unavailable'
    ? unavailable(code, detail)
    : new ProblemError(403, code, { detail })
}
