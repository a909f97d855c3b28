import { isUtf8 } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import { ProblemError } from './problem.ts'

/**
 * Replaces Fastify's body parsers by one for JSON: invalid UTF-8 is refused, where the default
 * stores replacement characters; an empty body is no body, since some clients send a content type
 * with a bodyless DELETE; keys that poison a prototype are refused, with their place.
 */
export function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request, body, done) => {
      const encoding = request.headers['content-encoding']
      if (encoding !== undefined && encoding !== 'identity') {
        done(new ProblemError(415, 'unsupported_encoding', { detail: 'the body must be plain' }))
      } else if (body.length === 0) {
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
    },
  )
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
