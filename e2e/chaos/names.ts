/**
 * Loaded before the workers of a chaos world: gives their providers a name in place of an address, and
 * answers for it. While the file that `CHAOS_NO_NAMES` names is there, the name does not resolve.
 */
import dns from 'node:dns'
import { existsSync } from 'node:fs'

const file = process.env.CHAOS_NO_NAMES ?? ''
const name = 'localhost'

// The token endpoint keeps its address: what is signed for it names it.
for (const variable of ['APNS_PRODUCTION_URL', 'APNS_SANDBOX_URL', 'FCM_URL']) {
  process.env[variable] = process.env[variable]?.replace('//127.0.0.1:', `//${name}:`)
}

const { lookup } = dns

function answer(hostname: string, options: dns.LookupOptions, callback: Callback): void {
  if (hostname !== name) {
    lookup(hostname, options, callback)
    return
  }
  if (existsSync(file)) {
    const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' })
    process.nextTick(callback, error, '', 0)
    return
  }
  const address = { address: '127.0.0.1', family: 4 }
  if (options.all) process.nextTick(callback, null, [address])
  else process.nextTick(callback, null, address.address, address.family)
}

type Callback = (
  error: NodeJS.ErrnoException | null,
  address: string | dns.LookupAddress[],
  family: number,
) => void

Object.assign(dns, { lookup: answer })
