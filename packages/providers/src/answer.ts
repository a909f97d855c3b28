import { type ClientHttp2Stream, constants } from 'node:http2'
import type { Exchange, RequestResult } from './exchange.ts'

/** What every accepted push has in common: one object for all of them. */
export const accepted: RequestResult = {
  kind: 'answered',
  status: 200,
  retryAfter: null,
  body: '',
}

// https://www.rfc-editor.org/rfc/rfc9113#name-error-codes, by number.
const resetNames = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
]

/** The name of an HTTP/2 error code. */
export function resetName(code: number | undefined): string {
  return resetNames[code ?? constants.NGHTTP2_NO_ERROR] ?? 'other'
}

/** The result of a request whose answer began with another status than 200, once its stream ended. */
export function refusal(exchange: Exchange, stream: ClientHttp2Stream): RequestResult {
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) return cutShort(exchange)
  const { status, retryAfter, chunks } = exchange
  return { kind: 'answered', status, retryAfter, body: Buffer.concat(chunks).toString('utf8') }
}

/**
 * The result where the body broke off. A refused push did not arrive, but why it was refused stands
 * in the body: without it only 429 and 5xx say what to do next.
 */
export function cutShort({ status, retryAfter }: Exchange): RequestResult {
  if (status === 429 || status >= 500) return { kind: 'answered', status, retryAfter, body: '' }
  return { kind: 'not-processed', reason: 'answer-cut-short' }
}
