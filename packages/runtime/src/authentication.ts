import {
  type CoalescedRun,
  coalesce,
  findKeys,
  hashKey,
  isKeyText,
  type KeyOwner,
  type Sql,
} from '@pushkeep/store'

/** Who calls: the owner of the key that the request carries, and from which IP address. */
export type Caller = KeyOwner & { address?: string }

/**
 * Finds the caller by an `Authorization` header; null where its key is missing, unknown or revoked. Whether it
 * still works, and from there, is judged by `refusalByTerms`.
 */
export type Authenticate = (
  authorization: string | undefined,
) => Caller | null | Promise<Caller | null>

export interface AuthenticatorOptions {
  /** How long an answer of the database counts: a revoked key works that much longer. */
  ttlMs?: number
  entriesMax?: number
  /** Monotonic time in milliseconds. */
  now?: () => number
  /** Told how lookups share statements. */
  onRun?: (run: CoalescedRun) => void
}

interface Entry {
  owner: KeyOwner | null
  until: number
}

/**
 * Looks keys up by SHA-256, through a bounded cache. Concurrent requests with one key ask the
 * database once, and unknown keys have a cache of their own, so that guessing cannot push known
 * ones out.
 */
export function createAuthenticator(
  sql: Sql,
  {
    ttlMs = 5000,
    entriesMax = 10_000,
    now = () => performance.now(),
    onRun = () => {},
  }: AuthenticatorOptions = {},
): Authenticate {
  const known = new Map<string, Entry>()
  const unknown = new Map<string, Entry>()
  const pending = new Map<string, Promise<KeyOwner | null>>()
  const find = coalesce<string, { owner: KeyOwner | null }>({
    run: async (hashes) => (await findKeys(sql, hashes)).map((owner) => ({ owner })),
    sizeMax: 200,
    runsMax: 2,
    waitingMax: 5000,
    onRun,
  })

  async function lookUp(hash: string): Promise<KeyOwner | null> {
    const { owner } = await find(hash)
    const cache = owner ? known : unknown
    known.delete(hash)
    unknown.delete(hash)
    dropOldest(cache, entriesMax)
    cache.set(hash, { owner, until: now() + ttlMs })
    return owner
  }

  return (authorization) => {
    const key = keyOf(authorization)
    if (key === null) return null
    const hash = hashKey(key)
    const entry = known.get(hash) ?? unknown.get(hash)
    if (entry && entry.until > now()) return entry.owner
    const running = pending.get(hash)
    if (running !== undefined) return running
    const started = lookUp(hash).finally(() => pending.delete(hash))
    pending.set(hash, started)
    return started
  }
}

/** Makes room for one more; a key that is in use comes back at once. */
function dropOldest(cache: Map<string, Entry>, entriesMax: number): void {
  if (cache.size < entriesMax) return
  const [oldest] = cache.keys()
  if (oldest !== undefined) cache.delete(oldest)
}

/** The key in `Bearer <key>`, or in `Basic` as user name or password; null where there is none. */
export function keyOf(authorization: string | undefined): string | null {
  if (!authorization) return null
  const space = authorization.indexOf(' ')
  const scheme = authorization.slice(0, space).toLowerCase()
  const value = authorization.slice(space + 1).trim()
  if (scheme === 'bearer') return isKeyText(value) ? value : null
  if (scheme !== 'basic') return null
  const pair = Buffer.from(value, 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  const [name, password] = colon < 0 ? [pair, ''] : [pair.slice(0, colon), pair.slice(colon + 1)]
  return [password, name].find(isKeyText) ?? null
}
