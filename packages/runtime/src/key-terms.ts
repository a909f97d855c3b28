import { BlockList, isIPv6 } from 'node:net'
import { canonicalAddress } from '@pushkeep/domain'
import type { KeyTerms } from '@pushkeep/store'
import { ProblemError } from './problem.ts'

/** Whether a key has ended by itself. `now` in ms. */
export function isExpired({ expiresAt }: Pick<KeyTerms, 'expiresAt'>, now: number): boolean {
  return expiresAt !== null && expiresAt.getTime() <= now
}

/** Why a key that is known does not work now, or not from this address; null: it works. `now` in ms. */
export function refusalByTerms(
  terms: KeyTerms,
  address: string | undefined,
  now: number,
): ProblemError | null {
  if (isExpired(terms, now)) {
    return new ProblemError(401, 'key_expired', {
      detail: `this key ended at ${terms.expiresAt?.toISOString()}: use another one`,
      headers: { 'www-authenticate': 'Bearer realm="pushkeep", error="invalid_token"' },
    })
  }
  if (isAllowedFrom(terms.allowedAddresses, address)) return null
  return new ProblemError(403, 'address_not_allowed', {
    detail: 'this key is not for the address that the request comes from',
  })
}

// A list is made of a key's addresses once: its row is remembered while it counts.
const lists = new WeakMap<readonly string[], BlockList>()

/** Whether an address is in a list of addresses and networks; null allows all. */
export function isAllowedFrom(
  allowed: readonly string[] | null,
  address: string | undefined,
): boolean {
  if (allowed === null) return true
  if (address === undefined) return false
  const list = lists.get(allowed) ?? listOf(allowed)
  const canonical = canonicalAddress(address)
  return list.check(canonical, isIPv6(canonical) ? 'ipv6' : 'ipv4')
}

function listOf(allowed: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of allowed) {
    const [address = '', bits] = entry.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  lists.set(allowed, list)
  return list
}
