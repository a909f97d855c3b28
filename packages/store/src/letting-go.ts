import type { DeviceState } from './registration-rule.ts'

/**
 * A device that its app has not registered again for so long counts as unused, in seconds: 270 days, after which FCM
 * itself calls a token stale (https://firebase.google.com/docs/cloud-messaging/manage-tokens).
 */
export const unusedSeconds = 270 * 86_400

/**
 * Which of a person's devices makes room for another: a dead one, else one that is unused, each time the one used
 * least recently. null: all are in use. `now` in ms.
 */
export function deviceToLetGo(devices: readonly DeviceState[], now: number): DeviceState | null {
  const [first = null] = devices
    .filter(({ isDead, lastUsed }) => isDead || lastUsed < now / 1000 - unusedSeconds)
    .sort(
      (one, other) => Number(other.isDead) - Number(one.isDead) || one.lastUsed - other.lastUsed,
    )
  return first
}
