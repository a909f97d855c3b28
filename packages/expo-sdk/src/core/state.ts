import type { Platform } from './items.ts'
import type { Json } from './json.ts'

/** What the SDK remembers across launches, beside the calls that wait to be sent. */
export interface State {
  /** One installation of the app on one phone. */
  installationId: string
  /** Known to this installation alone: with it, it reads its device back. */
  installationSecret: string
  /** What tells this phone from another one that was set up from its backup; null: unknown. */
  phoneMark: string | null
  /** Who uses the app; null: nobody is identified. */
  personId: string | null
  /** Of events while nobody is identified. Each such stretch of time has one of its own. */
  anonymousId: string
  /** The token that the phone had last; null: none, or it was deleted. */
  device: { token: string; platform: Platform } | null
  /** Attributes of a device that has no token yet. */
  deviceAttributes: { [key: string]: Json }
  /** Attributes of a person who is not identified yet. */
  profileAttributes: { [key: string]: Json }
  /** Ms since the epoch of the newest item. */
  lastTime: number
  /** By person: what their backend signed. Queued calls of a person may outlast their login. */
  identityTokens: { [personId: string]: string }
  /** Deliveries that were reported, the newest last: `opened <id>`. */
  reported: string[]
}

/** The same app on another phone: its person stays, whatever names the phone is new. */
export function newInstallation(state: State, newId: () => string): State {
  const { installationId, installationSecret, anonymousId } = newState(newId)
  return { ...state, installationId, installationSecret, anonymousId, device: null }
}

/** The state of an installation that was just made. */
export function newState(newId: () => string): State {
  return {
    installationId: newId(),
    installationSecret: `${newId()}${newId()}`,
    phoneMark: null,
    personId: null,
    anonymousId: newId(),
    device: null,
    deviceAttributes: {},
    profileAttributes: {},
    lastTime: 0,
    identityTokens: {},
    reported: [],
  }
}
