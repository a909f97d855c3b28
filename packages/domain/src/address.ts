import { z } from 'zod'

/** Most addresses and networks that one key lists. */
export const allowedAddressesMax = 50

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?$/i

/**
 * An address as lists have it: an IPv4 address that came in IPv6 form (`::ffff:10.0.0.1`) is the IPv4 address, and
 * a zone (`%eth0`) is left out.
 */
export function canonicalAddress(text: string): string {
  const [, address, bits] = mapped.exec(text) ?? []
  if (address === undefined) return text.replace(/%.*$/, '').toLowerCase()
  return bits === undefined ? address : `${address}/${Math.max(0, Number(bits) - 96)}`
}

/** One address or network, such as `203.0.113.7`, `10.0.0.0/8` or `2001:db8::/32`. */
const AddressInput = z
  .union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
    error: 'must be an address (203.0.113.7) or a network (10.0.0.0/8)',
  })
  .transform(canonicalAddress)

/** From where a key may be used; an empty list is none, and allows no address by mistake. */
export const AllowedAddresses = z
  .array(AddressInput)
  .min(1, 'must have an address or a network')
  .max(allowedAddressesMax, `must have at most ${allowedAddressesMax} addresses`)
