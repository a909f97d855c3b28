import { isIP } from 'node:net'
import { generate } from 'selfsigned'

/** A certificate and its private key, both PEM. */
export interface KeyAndCertificate {
  key: string
  cert: string
}

const TEN_YEARS_MS = 10 * 365 * 24 * 3600 * 1000

/** The providers' own names, so that a test may point them here by /etc/hosts or a network alias. */
const PROVIDER_NAMES = [
  'api.push.apple.com',
  'api.sandbox.push.apple.com',
  'api.development.push.apple.com',
  'fcm.googleapis.com',
  'oauth2.googleapis.com',
]

/** Makes the certificate authority that clients of the simulator have to trust. */
export async function createAuthority(): Promise<KeyAndCertificate> {
  const made = await generate([{ name: 'commonName', value: 'Pushkeep provider simulator CA' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + TEN_YEARS_MS),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  return { key: made.private, cert: made.cert }
}

/** Issues the one server certificate that all listeners present. */
export async function issueServerCertificate(
  authority: KeyAndCertificate,
  host: string,
): Promise<KeyAndCertificate> {
  const names = new Set(['localhost', ...PROVIDER_NAMES])
  const addresses = new Set(['127.0.0.1', '::1'])
  if (isIP(host) === 0) names.add(host)
  else addresses.add(host)
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + TEN_YEARS_MS),
    ca: authority,
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...[...names].map((value) => ({ type: 2, value }) as const),
          ...[...addresses].map((ip) => ({ type: 7, ip }) as const),
        ],
      },
    ],
  })
  return { key: made.private, cert: made.cert }
}
