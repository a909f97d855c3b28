import { type Platform, providerOf, tokenProblem } from '@pushkeep/domain'
import { type CallerProof, mayTakeFrom, noProof } from './caller-proof.ts'
import { type DeviceState, replacedDevice } from './registration-rule.ts'

/** A call that deletes one device, from whichever route it came. */
export interface Deletion {
  appNo: number
  token: string
  /** Only if it is this person's; null: whosever it is. */
  personId: string | null
  /** The client's time in ms since the epoch (R1); null is now, and never late. */
  at: number | null
  /** What the caller has shown beside its key; nothing, if left out. */
  proof?: CallerProof
  /** SHA-256, in hex, of the installation's secret that the call shows. */
  shownHash?: string | null
}

/**
 * What a deletion makes of the token's row. `unknown`: there is nothing to delete for this caller;
 * `order` is then the row as it remembers the call, where it has to. `unseen`: nobody has heard of
 * the token, and its tombstone is all there will be of it.
 */
export type DeletionDecision =
  | { kind: 'late'; device: DeviceState }
  | { kind: 'deleted'; device: DeviceState; tombstone: DeviceState }
  | { kind: 'unknown'; order: DeviceState | null }
  | { kind: 'unseen'; tombstone: DeviceState }

/**
 * R1 for a deletion: it names person and token, so that one that comes late does not take the next
 * person's device. Calls of a phone may overtake each other: one that tells its time counts for the
 * order also where there is nothing to delete, so that an older registration does not bring back
 * what the phone has given up.
 */
export function decideDeletion(
  call: Deletion,
  tokenHash: string,
  own: DeviceState | null,
  now: number,
): DeletionDecision {
  const at = Math.min(call.at ?? now, now)
  const { proof = noProof, shownHash = null } = call
  // A stranger to the device deletes nothing of it and moves no order.
  if (own && !mayTakeFrom(own, proof, shownHash)) return { kind: 'unknown', order: null }
  if (!own) {
    if (call.at === null) return { kind: 'unknown', order: null }
    return { kind: 'unseen', tombstone: unseenToken(call, tokenHash, at) }
  }
  if (call.at !== null && own.orderedAt > call.at) {
    return own.isDeleted ? { kind: 'unknown', order: null } : { kind: 'late', device: own }
  }
  const isTheirs = call.personId === null || own.person?.id === call.personId
  if (own.isDeleted || !isTheirs) {
    const counts = own.isDeleted || call.at !== null
    const order = { ...own, orderedAt: Math.max(own.orderedAt, at) }
    return { kind: 'unknown', order: counts ? order : null }
  }
  return { kind: 'deleted', device: own, tombstone: replacedDevice(own, at) }
}

/** The tombstone of a token whose registration has not arrived yet. */
function unseenToken(call: Deletion, tokenHash: string, at: number): DeviceState {
  const platform: Platform = tokenProblem('ios', call.token) === null ? 'ios' : 'android'
  return {
    appNo: call.appNo,
    tokenHash,
    token: null,
    platform,
    provider: providerOf(platform, call.token),
    environment: null,
    person: null,
    installationId: null,
    readerHash: null,
    attributes: {},
    pushPermission: true,
    lastUsed: Math.floor(at / 1000),
    epoch: 1,
    registeredAt: at,
    orderedAt: at,
    lastStatus: '',
    isFailing: false,
    isDead: false,
    isDeleted: true,
  }
}
