import { retryAfterMs } from './backoff.ts'
import type { Engine, FetchAnswer } from './engine.ts'
import type { FieldError } from './errors.ts'
import { basicAuthorization } from './host.ts'
import type { Item } from './items.ts'

/** An item that the server did not take. */
export interface Refusal {
  item: Item
  code: string
  message: string
  fields: FieldError[]
}

/** What came of sending a batch. */
export type Outcome =
  /** Taken, but for these. */
  | { kind: 'taken'; refusals: Refusal[] }
  /** Nothing of it was taken: one item of it at least never will be. */
  | { kind: 'refused'; code: string; message: string }
  /** More than the server takes at once. */
  | { kind: 'too-large' }
  | { kind: 'unauthorized'; status: number }
  /** Not now. `afterMs`: the server says when. It may have been taken all the same. */
  | { kind: 'later'; afterMs: number | null }

export interface TransportOptions {
  base: string
  writeKey: string
  engine: Engine
  library: { name: string; version: string }
  /** Longest wait for an answer. */
  timeoutMs: number
  /** Told the server's clock with each answer, in ms since the epoch. */
  onServerTime: (ms: number) => void
}

export interface Transport {
  sendBatch(items: readonly Item[], identityTokens: readonly string[]): Promise<Outcome>
  /** Reads JSON, with the key and these headers. Rejects where no answer comes. */
  read(
    path: string,
    headers: { [name: string]: string },
  ): Promise<{ status: number; body: unknown }>
}

/** How much of what is sent together, at most: half of what the server takes. */
export const batchBytesMax = 200_000
export const batchItemsMax = 100

export function createTransport(options: TransportOptions): Transport {
  const { base, engine, library, timeoutMs } = options
  const authorization = basicAuthorization(options.writeKey)

  async function call(
    method: 'GET' | 'POST',
    path: string,
    headers: { [name: string]: string },
    body?: string,
  ): Promise<{ answer: FetchAnswer; text: string }> {
    let timer: unknown
    const timeout = new Promise<never>((_, reject) => {
      const giveUp = () => reject(new Error(`no answer within ${timeoutMs} ms`))
      timer = engine.setTimer(giveUp, timeoutMs)
    })
    const exchange = async () => {
      const answer = await engine.fetch(base + path, {
        method,
        headers: { accept: 'application/json', authorization, ...headers },
        ...(body === undefined ? {} : { body }),
        timeoutMs,
      })
      return { answer, text: await answer.text() }
    }
    try {
      const result = await Promise.race([exchange(), timeout])
      const date = Date.parse(result.answer.headers.get('date') ?? '')
      if (Number.isFinite(date)) options.onServerTime(date)
      return result
    } finally {
      engine.clearTimer(timer)
    }
  }

  return {
    async sendBatch(items, identityTokens) {
      const sentAt = new Date(engine.now()).toISOString()
      const body = JSON.stringify({ batch: items, context: { library }, sentAt })
      const headers = {
        'content-type': 'application/json',
        'x-item-verdicts': 'true',
        ...(identityTokens.length === 0 ? {} : { 'x-identity-token': identityTokens.join(', ') }),
      }
      try {
        const { answer, text } = await call('POST', '/v1/batch', headers, body)
        return outcomeOf(items, answer, jsonOf(text), engine.now())
      } catch {
        return { kind: 'later', afterMs: null }
      }
    },

    async read(path, headers) {
      const { answer, text } = await call('GET', path, headers)
      return { status: answer.status, body: jsonOf(text) }
    },
  }
}

/** undefined where it is no JSON: a page of a hotel's network, for example, which answers 200 too. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function outcomeOf(
  items: readonly Item[],
  answer: FetchAnswer,
  body: unknown,
  now: number,
): Outcome {
  const { status, headers } = answer
  if (status >= 200 && status < 300 && isObject(body)) {
    return { kind: 'taken', refusals: refusalsOf(items, body) }
  }
  if (status === 413) return { kind: 'too-large' }
  if ((status === 400 || status === 422) && isOurs(body)) {
    return { kind: 'refused', code: textOf(body.code, 'refused'), message: messageOf(body) }
  }
  if (status === 401 || status === 403) return { kind: 'unauthorized', status }
  const serverNow = Date.parse(headers.get('date') ?? '')
  const afterMs = retryAfterMs(
    headers.get('retry-after'),
    Number.isFinite(serverNow) ? serverNow : now,
  )
  return { kind: 'later', afterMs }
}

/** Whether the server itself says so: whatever stands between says 400 in words of its own. */
function isOurs(body: unknown): body is { [key: string]: unknown } {
  return isObject(body) && (typeof body.code === 'string' || isObject(body.meta))
}

function refusalsOf(items: readonly Item[], body: { [key: string]: unknown }): Refusal[] {
  const errors = Array.isArray(body.errors) ? body.errors : []
  return errors.filter(isObject).flatMap((error): Refusal[] => {
    const item = items.find(({ messageId }) => messageId === error.messageId)
    if (!item) return []
    const code = textOf(error.code, 'refused')
    return [{ item, code, message: messageOf(error), fields: fieldsOf(error.errors) }]
  })
}

function fieldsOf(value: unknown): FieldError[] {
  const fields = Array.isArray(value) ? value.filter(isObject) : []
  return fields.map(({ path, message }) => ({
    path: textOf(path, ''),
    message: textOf(message, ''),
  }))
}

function messageOf(problem: { [key: string]: unknown }): string {
  const { meta } = problem
  const errors = isObject(meta) && Array.isArray(meta.errors) ? meta.errors.join('; ') : undefined
  return textOf(problem.detail ?? errors, 'the server refuses it')
}

function textOf(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback
}

function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
