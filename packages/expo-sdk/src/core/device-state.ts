import type { Transport } from './transport.ts'

/** What the server knows of a device. */
export interface DeviceState {
  token: string
  platform: 'ios' | 'android'
  /** To whom its pushes go; null: to nobody. */
  personId: string | null
  /** Whether it is sent to: the permission, and a token that lives. */
  pushEnabled: boolean
  /** Of the last push: `sent`, `bounced`, `suppressed`, or nothing yet. */
  lastStatus: string
  /** When the app was used last, in unix seconds. */
  lastUsed: number
  /** ISO 8601. */
  registeredAt: string
  attributes: { [name: string]: unknown }
}

/** Reads the device back; null where the server knows none, or not that it is ours. */
export async function readOwnDevice(
  transport: Transport,
  token: string,
  installationSecret: string,
  identityToken: string | undefined,
): Promise<DeviceState | null> {
  const { status, body } = await transport.read(`/v1/devices/${encodeURIComponent(token)}/own`, {
    'x-installation-secret': installationSecret,
    ...(identityToken === undefined ? {} : { 'x-identity-token': identityToken }),
  })
  if (status === 404 && isObject(body) && body.code === 'unknown_device') return null
  if (status !== 200 || !isObject(body) || !isObject(body.attributes)) {
    throw new Error(`the device could not be read: the server answered ${status}`)
  }
  const { attributes } = body
  return {
    token,
    platform: body.platform === 'android' ? 'android' : 'ios',
    personId: typeof body.person_id === 'string' ? body.person_id : null,
    pushEnabled: attributes.push_enabled === 'true',
    lastStatus: String(attributes._last_status ?? ''),
    lastUsed: Number(body.last_used),
    registeredAt: String(body.registered_at),
    attributes,
  }
}

function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
