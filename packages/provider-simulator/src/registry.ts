import { createPublicKey, type KeyObject } from 'node:crypto'
import type { IssuedApp } from './credentials.ts'

export type ApnsEnvironment = 'production' | 'sandbox'

/** A signing key that the simulator knows, with what it may be used for. */
export interface KnownApnsKey {
  teamId: string
  publicKey: KeyObject
  environment: ApnsEnvironment | null
}

/** A service account that the simulator knows. */
export interface KnownAccount {
  email: string
  projectId: string
  publicKey: KeyObject
}

/** All issued credentials, indexed by what a request carries. */
export class CredentialRegistry {
  /** Grows with each change, so that what was verified before can be told to be stale. */
  version = 0
  readonly #apps = new Map<string, IssuedApp>()
  readonly #keys = new Map<string, KnownApnsKey>()
  readonly #accounts = new Map<string, KnownAccount>()
  readonly #topics = new Map<string, Set<string>>()
  readonly #projects = new Set<string>()

  /** Adds an app. A name stands once. */
  add(app: IssuedApp): void {
    this.#apps.set(app.name, app)
    this.#reindex()
  }

  /** Revokes an app's keys. False where nobody goes by that name. */
  remove(name: string): boolean {
    if (!this.#apps.delete(name)) return false
    this.#reindex()
    return true
  }

  has(name: string): boolean {
    return this.#apps.has(name)
  }

  all(): IssuedApp[] {
    return [...this.#apps.values()]
  }

  apnsKey(keyId: string): KnownApnsKey | undefined {
    return this.#keys.get(keyId)
  }

  account(email: string): KnownAccount | undefined {
    return this.#accounts.get(email)
  }

  hasProject(projectId: string): boolean {
    return this.#projects.has(projectId)
  }

  /** The teams that may push to a topic; undefined where no app has it. */
  teamsOf(topic: string): Set<string> | undefined {
    return this.#topics.get(topic)
  }

  #reindex(): void {
    this.version += 1
    this.#keys.clear()
    this.#accounts.clear()
    this.#topics.clear()
    this.#projects.clear()
    for (const { apns, fcm, environment } of this.#apps.values()) {
      const publicKey = createPublicKey(apns.privateKeyPem)
      this.#keys.set(apns.keyId, { teamId: apns.teamId, publicKey, environment })
      const teams = this.#topics.get(apns.topic) ?? new Set()
      this.#topics.set(apns.topic, teams.add(apns.teamId))
      this.#projects.add(fcm.projectId)
      this.#accounts.set(fcm.serviceAccount.client_email, {
        email: fcm.serviceAccount.client_email,
        projectId: fcm.projectId,
        publicKey: createPublicKey(fcm.serviceAccount.private_key),
      })
    }
  }
}
