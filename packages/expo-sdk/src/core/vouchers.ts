import type { State } from './state.ts'

/**
 * Gets a token by which the app's backend vouches for this person; null where it does not. Asked
 * when there is none, and again when the server refuses the one there is.
 */
export type IdentityTokenProvider = (personId: string) => Promise<string | null> | string | null

export interface Vouchers {
  /** The tokens to send with calls of these people. */
  tokensFor(personIds: Iterable<string>): Promise<string[]>
  /** The server refused a person's token, or the lack of one: their calls wait for another. */
  hold(personId: string): void
  isHeld(personId: string): boolean
  /** A person's calls go again: they logged in, or have a new token. */
  release(personId: string): void
  /** Whether a new token may still come for calls that wait. */
  mayRenew(): boolean
  /** Asks for a new token if those who wait include whoever is identified. Whether there is one. */
  renew(): Promise<boolean>
}

export interface VouchersOptions {
  provider: IdentityTokenProvider | null
  state: () => State
  /** Stores a person's token. */
  keep: (personId: string, token: string) => Promise<void>
  onProviderError: (personId: string, cause: unknown) => void
}

/**
 * Identity tokens. The backend vouches for whoever is logged in: it is asked for the person who is
 * identified, and for nobody else. Calls of others go with the token that they left, or wait.
 */
export function createVouchers(options: VouchersOptions): Vouchers {
  const { provider, state, keep, onProviderError } = options
  /** By person whose calls wait: the token that was refused; null: there was none. */
  const held = new Map<string, string | null>()

  /** A token that was not refused yet. */
  async function ask(personId: string): Promise<string | null> {
    if (provider === null || state().personId !== personId) return null
    try {
      const token = await provider(personId)
      if (!token || token === held.get(personId)) return null
      await keep(personId, token)
      return token
    } catch (cause) {
      onProviderError(personId, cause)
      return null
    }
  }

  return {
    async tokensFor(personIds) {
      const tokens: string[] = []
      for (const personId of personIds) {
        const token = state().identityTokens[personId] ?? (await ask(personId))
        if (token !== null) tokens.push(token)
      }
      return tokens
    },
    hold(personId) {
      held.set(personId, state().identityTokens[personId] ?? null)
    },
    isHeld: (personId) => held.has(personId),
    release(personId) {
      held.delete(personId)
    },
    mayRenew() {
      const { personId } = state()
      return provider !== null && personId !== null && held.has(personId)
    },
    async renew() {
      const { personId } = state()
      if (personId === null || !held.has(personId)) return false
      if ((await ask(personId)) === null) return false
      held.delete(personId)
      return true
    },
  }
}
