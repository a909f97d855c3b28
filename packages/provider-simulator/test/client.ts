import { createPrivateKey, randomBytes, randomUUID, sign } from 'node:crypto'
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientSessionOptions,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2'
import type { Credentials, Simulator } from '../src/index.ts'

/** What came back on one stream; status 0 where nothing did. */
export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** Parsed, or null. */
  body: unknown
  resetCode: number
}

/** A real HTTP/2 client over TLS that trusts the simulator's CA. */
export class Client {
  readonly session: ClientHttp2Session
  readonly goaways: { code: number; lastStreamId: number; payload: string }[] = []
  readonly errors: string[] = []

  constructor(
    url: string,
    ca: string,
    options: ClientSessionOptions & SecureClientSessionOptions = {},
  ) {
    this.session = connect(url, { ca, ...options })
    this.session.on('error', (error) => this.errors.push(error.message))
    this.session.on('goaway', (code, lastStreamId, payload) => {
      this.goaways.push({ code, lastStreamId, payload: payload?.toString() ?? '' })
    })
  }

  /** Resolves when the stream has ended, in whatever way. */
  request(headers: OutgoingHttpHeaders, body: string | Buffer = ''): Promise<Answer> {
    return new Promise((resolve) => {
      const stream = this.session.request(headers)
      const chunks: Buffer[] = []
      let received: IncomingHttpHeaders & { ':status'?: number | undefined } = {}
      stream.on('response', (answer) => {
        received = answer
      })
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('error', () => {})
      stream.on('close', () => {
        const text = Buffer.concat(chunks).toString()
        const status = received[':status'] ?? 0
        const resetCode = stream.rstCode ?? 0
        resolve({ status, headers: received, text, body: parsed(text), resetCode })
      })
      stream.end(body)
    })
  }

  async ping(withinMs: number): Promise<boolean> {
    return await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), withinMs)
      this.session.ping((error) => {
        clearTimeout(timer)
        resolve(error === null)
      })
    })
  }

  /** The stream limit the server has announced so far. */
  get maxStreams(): number | undefined {
    return this.session.remoteSettings.maxConcurrentStreams
  }

  async close(): Promise<void> {
    if (this.session.destroyed) return
    const closed = once(this.session, 'close')
    this.session.destroy()
    await closed
  }
}

/** An APNs token as phones have them. */
export function newToken(): string {
  return randomBytes(32).toString('hex')
}

export function apnsClient(
  simulator: Simulator,
  environment: 'production' | 'sandbox' = 'production',
  options: ClientSessionOptions = {},
): Client {
  const { apnsProduction, apnsSandbox } = simulator.urls
  const url = environment === 'production' ? apnsProduction : apnsSandbox
  return new Client(url, simulator.caPem, options)
}

export function fcmClient(simulator: Simulator): Client {
  return new Client(simulator.urls.fcm, simulator.caPem)
}

/** The headers of a push with nothing wrong; a header given as undefined is left out. */
export function pushHeaders(
  simulator: Simulator,
  token: string,
  changed: OutgoingHttpHeaders = {},
): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    ':method': 'POST',
    ':path': `/3/device/${token}`,
    authorization: `bearer ${providerToken(simulator.credentials)}`,
    'apns-topic': simulator.credentials.apns.topic,
    'apns-push-type': 'alert',
    ...changed,
  }
  for (const name of Object.keys(headers)) if (headers[name] === undefined) delete headers[name]
  return headers
}

export const PAYLOAD = JSON.stringify({ aps: { alert: 'Hello' } })

export function push(
  simulator: Simulator,
  client: Client,
  token = newToken(),
  changed: OutgoingHttpHeaders = {},
  payload: string | Buffer = PAYLOAD,
): Promise<Answer> {
  return client.request(pushHeaders(simulator, token, changed), payload)
}

export function providerToken(
  { apns }: Pick<Credentials, 'apns'>,
  changed: { header?: object; claims?: object; key?: string } = {},
): string {
  const header = { alg: 'ES256', kid: apns.keyId, ...changed.header }
  const claims = { iss: apns.teamId, iat: seconds(), ...changed.claims }
  const key = createPrivateKey(changed.key ?? apns.privateKeyPem)
  return jwt(header, claims, (text) => sign('sha256', text, { key, dsaEncoding: 'ieee-p1363' }))
}

export function assertion(
  { fcm }: Pick<Credentials, 'fcm'>,
  changed: { claims?: object; key?: string } = {},
): string {
  const account = fcm.serviceAccount
  const claims = {
    iss: account.client_email,
    aud: account.token_uri,
    scope: 'https://www.googleapis.com/auth/firebase.messaging',
    iat: seconds(),
    exp: seconds() + 3600,
    ...changed.claims,
  }
  const key = createPrivateKey(changed.key ?? account.private_key)
  const header = { alg: 'RS256', typ: 'JWT', kid: account.private_key_id }
  return jwt(header, claims, (text) => sign('sha256', text, key))
}

function jwt(header: object, claims: object, signed: (text: Buffer) => Buffer): string {
  const text = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${text}.${signed(Buffer.from(text)).toString('base64url')}`
}

export const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

export function grant(client: Client, assertion: string, type = GRANT_TYPE): Promise<Answer> {
  return client.request(
    {
      ':method': 'POST',
      ':path': '/token',
      'content-type': 'application/x-www-form-urlencoded',
    },
    new URLSearchParams({ grant_type: type, assertion }).toString(),
  )
}

export async function accessToken(client: Client, credentials: Credentials): Promise<string> {
  const { body } = await grant(client, assertion(credentials))
  if (typeof body === 'object' && body !== null && 'access_token' in body) {
    return String(body.access_token)
  }
  throw new Error('No access token')
}

/** Sends an FCM message; `message` replaces the whole message unless a token is given alone. */
export function sendFcm(
  client: Client,
  bearer: string,
  request: unknown,
  projectId = 'pushkeep-simulator',
): Promise<Answer> {
  return client.request(
    {
      ':method': 'POST',
      ':path': `/v1/projects/${projectId}/messages:send`,
      authorization: `Bearer ${bearer}`,
      'content-type': 'application/json',
    },
    typeof request === 'string' ? request : JSON.stringify(request),
  )
}

/** Calls the admin API. */
export async function admin(
  simulator: Simulator,
  method: 'GET' | 'PUT' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await fetch(simulator.urls.simulator + path, { method, ...sent })
  return { status: response.status, body: parsed(await response.text()) }
}

/** Polls until the condition holds; fails the test where it does not within two seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 2000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('The condition did not come true in time')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export const uuid = randomUUID

export function seconds(): number {
  return Math.floor(Date.now() / 1000)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
