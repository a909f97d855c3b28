import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'

/** What a phone's SDK sent, to the byte, and what came back. */
export interface Exchange {
  status: number
  body: string
}

interface RawRequest {
  method: string
  path: string
  headers: Record<string, string>
  body?: Buffer | string
}

/** Sends a request with these headers and no others but `Host` and how the body ends. */
export function exchange(
  origin: string,
  { method, path, headers, body }: RawRequest,
): Promise<Exchange> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

export type Platform = 'ios' | 'android'
export type Item = Record<string, unknown>

/** A phone on which an app runs with one of the present SDKs, as their sources make their calls. */
export class Phone {
  anonymousId: string = randomUUID()
  userId: string | null = null
  readonly #queue: Item[] = []
  readonly #origin: string
  readonly #writeKey: string
  readonly platform: Platform
  token: string | null = null
  #clock = Date.now() - 3_600_000

  constructor(origin: string, writeKey: string, platform: Platform) {
    this.#origin = origin
    this.#writeKey = writeKey
    this.platform = platform
  }

  /** The settings that the SDK asks for before it sends anything. */
  async settings(): Promise<unknown> {
    const path = `/v1/projects/${this.#writeKey}/settings`
    const { status, body } = await exchange(this.#origin, { method: 'GET', path, headers: {} })
    if (status !== 200) throw new Error(`settings: ${status}`)
    return JSON.parse(body)
  }

  identify(userId: string | null, traits?: Item): void {
    if (userId !== null && this.userId !== null && this.userId !== userId) {
      this.#push('track', { event: 'Device Deleted' })
    }
    const isNew = userId !== null && this.userId !== userId
    if (userId !== null) this.userId = userId
    this.#push('identify', { traits: traits ?? {} })
    if (isNew && this.token !== null) this.registerToken(this.token)
  }

  registerToken(token: string, attributes: Item = {}): void {
    if (this.token !== null && this.token !== token) {
      this.#push('track', { event: 'Device Deleted' })
    }
    this.token = token
    const properties = { ...this.#deviceAttributes(), ...attributes }
    this.#push('track', { event: 'Device Created or Updated', properties })
  }

  track(event: string, properties: Item = {}): void {
    this.#push('track', { event, properties })
  }

  screen(name: string): void {
    this.#push('screen', { name, properties: {} })
  }

  clearIdentify(): void {
    if (this.token !== null) this.#push('track', { event: 'Device Deleted' })
    this.userId = null
    this.anonymousId = randomUUID()
  }

  report(metric: string, deliveryId: string, recipient: string): void {
    const owner = this.userId === null ? { anonymousId: deliveryId } : {}
    this.#push('track', {
      event: 'Report Delivery Event',
      properties: { metric, deliveryId, recipient },
      ...owner,
    })
  }

  /** Takes what waits, as one file of the queue. */
  take(): Item[] {
    return this.#queue.splice(0)
  }

  /** Uploads a file: without an `Authorization`, the key inside. */
  upload(batch: readonly Item[]): Promise<Exchange> {
    const sentAt = new Date(this.#clock).toISOString()
    const text = JSON.stringify({ batch, sentAt, writeKey: this.#writeKey })
    const path = '/v1/b'
    if (this.platform === 'ios') {
      const body = Buffer.from(text)
      const headers = {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'analytics-ios/1.7.3+cio.1',
        'content-length': String(body.length),
      }
      return exchange(this.#origin, { method: 'POST', path, headers, body })
    }
    const headers = {
      'content-type': 'text/plain',
      'content-encoding': 'gzip',
      'transfer-encoding': 'chunked',
      'user-agent': 'analytics-kotlin/1.24.1',
    }
    return exchange(this.#origin, { method: 'POST', path, headers, body: gzipSync(text) })
  }

  /** Queues and uploads; what the SDK would make of the answer is the caller's to say. */
  flush(): Promise<Exchange> {
    return this.upload(this.take())
  }

  #push(type: string, rest: Item): void {
    this.#clock += 250
    this.#queue.push({
      type,
      anonymousId: this.anonymousId,
      ...(this.userId === null ? {} : { userId: this.userId }),
      messageId: randomUUID(),
      timestamp: new Date(this.#clock).toISOString(),
      integrations: {},
      context: this.#context(),
      _metadata: { bundled: [], unbundled: [], bundledIds: [] },
      ...rest,
    })
  }

  #context(): Item {
    const token = this.token === null ? {} : { token: this.token }
    const device =
      this.platform === 'ios'
        ? { id: 'A5B1', manufacturer: 'Apple', model: 'iPhone15,2', name: 'iPhone', type: 'ios' }
        : { id: '9d4e', manufacturer: 'Google', model: 'Pixel 8', name: 'shiba', type: 'android' }
    return {
      app: { name: 'Shop', version: '1.2.3', build: '45', namespace: 'com.example.shop' },
      device: { ...device, ...token },
      locale: 'en-US',
      network: { bluetooth: false, cellular: true, wifi: false },
      os:
        this.platform === 'ios'
          ? { name: 'iOS', version: '17.4' }
          : { name: 'Android', version: '14' },
      screen: { width: 1179, height: 2556 },
      timezone: 'Europe/Oslo',
      userAgent:
        this.platform === 'ios'
          ? 'Customer.io iOS Client/4.7.5 (iPhone15,2; iOS 17.4) com.example.shop/1.2.3'
          : 'Customer.io Android Client/4.19.0 (Google Pixel 8; 34) com.example.shop/1.2.3',
    }
  }

  #deviceAttributes(): Item {
    const shared = {
      network_bluetooth: false,
      network_cellular: true,
      network_wifi: false,
      screen_width: 1179,
      screen_height: 2556,
      timezone: 'Europe/Oslo',
      app_version: '1.2.3',
      device_locale: 'en-US',
    }
    return this.platform === 'ios'
      ? {
          ...shared,
          device_os: '17.4',
          device_model: 'iPhone15,2',
          device_manufacturer: 'Apple',
          cio_sdk_version: '4.7.5',
          push_enabled: 'true',
        }
      : {
          ...shared,
          device_os: 34,
          device_model: 'Pixel 8',
          device_manufacturer: 'Google',
          cio_sdk_version: '4.19.0',
          push_enabled: true,
        }
  }
}
