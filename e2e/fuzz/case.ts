import type { Operation } from './documents.ts'
import { textOf } from './json-tree.ts'
import type { Model } from './valid.ts'

/** What has to become of a request. */
export type Expected =
  /** Refused, by one of these statuses; one of the fields in `at` has to be named where given. */
  | {
      kind: 'refused'
      statuses: readonly number[]
      at?: string[]
      /** The server may close before all has been sent, and its answer be lost with it. */
      mayClose?: boolean
    }
  /** Taken: a request that is as it should be. */
  | { kind: 'taken' }
  /** Taken or refused, whichever: the rules that hold for every answer are what is tried. */
  | { kind: 'either' }

/** One request, as it will stand on the wire. */
export interface Draft {
  method: string
  target: string
  headers: [name: string, value: string][]
  body: Buffer | null
}

export interface Case {
  number: number
  operation: Operation
  /** What was done to it, in words. */
  what: string
  draft: Draft
  expected: Expected
  /** Whether the operation itself answers, so that its document has to know the answer. */
  reachesRoute: boolean
  /** What the request is, where it can be made smaller while it still fails. */
  model: Model | null
}

export const refused = (at?: string | string[], statuses = [400, 413, 422]): Expected => ({
  kind: 'refused',
  statuses,
  ...(at === undefined ? {} : { at: [at].flat() }),
})

export const either: Expected = { kind: 'either' }

export function draftOf(model: Model): Draft {
  const { operation, pathParts, query, headers, body } = model
  return {
    method: operation.method,
    target: targetOf(operation.path, pathParts, query),
    headers,
    body: body && Buffer.from(textOf(body)),
  }
}

export function targetOf(
  pattern: string,
  parts: Record<string, string>,
  query: readonly (readonly [string, string])[],
): string {
  const path = pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => parts[name] ?? '')
  const search = query.map(([name, value]) => `${name}=${value}`).join('&')
  return search === '' ? path : `${path}?${search}`
}

/** The request's bytes. A body always says its length. */
export function bytesOf({ method, target, headers, body }: Draft, host: string): Buffer {
  const own = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const isCounted = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
  const length = body === null || isCounted ? '' : `content-length: ${body.length}\r\n`
  const head = `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\n${own}${length}\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), body ?? Buffer.alloc(0)])
}
