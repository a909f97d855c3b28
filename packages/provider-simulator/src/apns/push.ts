import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http2'
import { type Arrival, REPEAT_BY, type RepeatBy, type SourceCode } from '../journal/arrival.ts'

export const DEVICE_PATH = '/3/device/'
export const PAYLOAD_BYTES_MAX = 4096
export const VOIP_PAYLOAD_BYTES_MAX = 5120

/**
 * One push while and after it arrives. It is its own journal entry: a second object for each
 * request is what a benchmark would notice.
 */
export class ApnsPush implements Arrival {
  readonly source: SourceCode
  readonly connection: number
  readonly headers: IncomingHttpHeaders
  readonly path: string
  readonly token: string
  readonly id: string
  readonly repeatBy: RepeatBy
  readonly collapseId: string
  readonly messageId = ''
  readonly topic: string
  readonly pushType: string
  /** Null while it is empty; cut where it is too large. */
  body: Buffer | null = null
  bytes = 0

  constructor(source: SourceCode, connection: number, headers: IncomingHttpHeaders) {
    const id = textHeader(headers, 'apns-id')
    const path = headers[':path'] ?? ''
    this.source = source
    this.connection = connection
    this.headers = headers
    this.path = path
    this.token = path.startsWith(DEVICE_PATH) ? path.slice(DEVICE_PATH.length) : ''
    this.id = id === '' ? randomUUID() : id
    this.repeatBy = id === '' ? REPEAT_BY.nothing : REPEAT_BY.apnsId
    this.collapseId = textHeader(headers, 'apns-collapse-id')
    this.topic = textHeader(headers, 'apns-topic')
    this.pushType = textHeader(headers, 'apns-push-type')
  }

  add(chunk: Buffer): void {
    this.bytes += chunk.length
    if (this.body === null) this.body = chunk
    else if (this.bytes <= VOIP_PAYLOAD_BYTES_MAX) this.body = Buffer.concat([this.body, chunk])
  }
}

/** The value of a header that a push carries once; empty where it is absent. */
export function textHeader(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : ''
}
