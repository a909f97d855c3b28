import { isUtf8 } from 'node:buffer'
import { gunzip } from 'node:zlib'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ProblemError } from './problem.ts'

/** What else a scope of routes takes; its clients were written for somebody else. */
export interface JsonBodies {
  /** The body is JSON whatever its content type says. */
  anyType?: boolean
  /** Bodies may be compressed with gzip, and be so many bytes when they are unpacked. */
  unpackedMax?: number
}

type Done = (error: Error | null, value?: unknown) => void

/**
 * Replaces Fastify's body parsers, in this scope, by one for JSON: invalid UTF-8 is refused, where
 * the default stores replacement characters; an empty body is no body, since some clients send a
 * content type with a bodyless DELETE; keys that poison a prototype are refused, with their place.
 */
export function acceptJson(
  app: FastifyInstance,
  { anyType = false, unpackedMax }: JsonBodies = {},
): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    anyType ? '*' : 'application/json',
    { parseAs: 'buffer' },
    (request, body, done) => {
      const encoding = request.headers['content-encoding'] ?? 'identity'
      if (encoding === 'identity') {
        parseText(request, body, done)
      } else if (encoding === 'gzip' && unpackedMax !== undefined) {
        unpack(body, unpackedMax, (error, unpacked) => {
          if (error) done(error)
          else parseText(request, unpacked, done)
        })
      } else {
        done(new ProblemError(415, 'unsupported_encoding', { detail: 'the body must be plain' }))
      }
    },
  )

  function parseText(request: FastifyRequest, body: Buffer, done: Done): void {
    if (body.length === 0) {
      done(null, undefined)
    } else if (!isUtf8(body)) {
      done(new ProblemError(400, 'malformed_utf8', { detail: 'the body is not valid UTF-8' }))
    } else {
      const text = body.toString('utf8')
      void parse(request, text, (error, value) => {
        if (error) done(malformed(text))
        else done(null, value)
      })
    }
  }
}

function unpack(
  body: Buffer,
  unpackedMax: number,
  done: (error: ProblemError | null, unpacked: Buffer) => void,
): void {
  gunzip(body, { maxOutputLength: unpackedMax }, (error, unpacked) => {
    if (!error) done(null, unpacked)
    else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      done(new ProblemError(413, 'body_too_large', { detail: 'the body is too large' }), body)
    } else {
      done(new ProblemError(400, 'malformed_gzip', { detail: 'the body is not gzip' }), body)
    }
  })
}

/** Why a text was refused. JSON.parse's own message repeats the text. */
function malformed(text: string): ProblemError {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return new ProblemError(400, 'malformed_json', { detail: 'the body is not valid JSON' })
  }
  const path = findPoison(value).slice(0, 10).join('.').slice(0, 200)
  const message = 'is not allowed as a key'
  return new ProblemError(400, 'forbidden_key', {
    detail: `${path} ${message}`,
    errors: [{ path, message }],
  })
}

/** Where a key stands that would change a prototype. No recursion: the text may nest for ever. */
function findPoison(value: unknown): string[] {
  const rest: { value: unknown; path: string[] }[] = [{ value, path: [] }]
  for (let next = rest.pop(); next; next = rest.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue
    for (const [key, inner] of Object.entries(next.value)) {
      const path = next.path.length < 10 ? [...next.path, key] : next.path
      if (key === '__proto__' || isPoisonedConstructor(key, inner)) return path
      rest.push({ value: inner, path })
    }
  }
  return []
}

function isPoisonedConstructor(key: string, value: unknown): boolean {
  return (
    key === 'constructor' &&
    typeof value === 'object' &&
    value !== null &&
    Object.hasOwn(value, 'prototype')
  )
}
