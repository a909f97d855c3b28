/** JSON as it is sent and stored. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** Facts by name. `null` or `""` removes a key on the server; nested values are one value. */
export type Attributes = { [key: string]: unknown }

/** Deepest nesting that the server stores. */
const depthMax = 20

// Own keys of these names change an object's prototype when it is copied: the server refuses them.
const forbiddenKeys = ['__proto__', 'constructor', 'prototype']

/**
 * Attributes as JSON: a `Map` becomes an object, a `Date` its ISO text; what JSON cannot hold
 * (`undefined`, functions, NaN) is left out, where `JSON.stringify` would make NaN a `null`, which
 * removes an attribute. Throws a `TypeError` that names what can neither be sent nor left out.
 */
export function toJsonObject(value: unknown, name: string): { [key: string]: Json } {
  const json = value === undefined || value === null ? {} : toJson(value, name, 0)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new TypeError(`${name} must be an object`)
  }
  return json
}

function toJson(value: unknown, path: string, depth: number): Json | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : undefined
    case 'bigint':
      throw new TypeError(`${path} is a bigint: send it as text`)
    case 'object':
      return value === null ? null : fromObject(value, path, depth)
    default:
      return undefined
  }
}

function fromObject(value: object, path: string, depth: number): Json | undefined {
  if (depth > depthMax) throw new TypeError(`${path} nests deeper than ${depthMax}, or in a circle`)
  if (Array.isArray(value)) {
    return value.map((item, index) => toJson(item, `${path}.${index}`, depth + 1) ?? null)
  }
  if (value instanceof Map) return fromEntries([...value], path, depth)
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return toJson(value.toJSON(), path, depth + 1)
  }
  return fromEntries(Object.entries(value), path, depth)
}

function fromEntries(
  entries: [unknown, unknown][],
  path: string,
  depth: number,
): { [key: string]: Json } {
  const result: { [key: string]: Json } = {}
  for (const [name, value] of entries) {
    const key = String(name)
    if (forbiddenKeys.includes(key)) throw new TypeError(`${path}.${key} is not allowed as a key`)
    const json = toJson(value, `${path}.${key}`, depth + 1)
    if (json !== undefined) result[key] = json
  }
  return result
}

/** How many bytes a text takes in UTF-8. Not every engine of React Native has a `TextEncoder`. */
export function utf8Length(text: string): number {
  let bytes = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 0x80) bytes += 1
    else if (code < 0x800) bytes += 2
    // Each half of a surrogate pair counts two of its four bytes.
    else if (code >= 0xd800 && code <= 0xdfff) bytes += 2
    else bytes += 3
  }
  return bytes
}
