import type { Schema } from './documents.ts'

type Resolve = (schema: Schema) => Schema

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/

/**
 * The first thing that JSON Schema finds wrong with a value, in words; null where it conforms. It
 * tells which requests are bad for certain, and whether an answer is what the document promises.
 */
export function violation(
  schema: Schema,
  value: unknown,
  resolve: Resolve,
  at = 'body',
): string | null {
  const { anyOf, oneOf, allOf, enum: options, type, ...rest } = resolve(schema)
  const branches = anyOf ?? oneOf
  if (branches?.every((one) => violation(one, value, resolve, at) !== null)) {
    return `${at} is none of ${branches.length} alternatives`
  }
  for (const one of allOf ?? []) {
    const found = violation(one, value, resolve, at)
    if (found) return found
  }
  if (options && !options.includes(value)) return `${at} is no value of the list`
  if ('const' in rest && rest.const !== value) return `${at} is not the one value`
  const types = [type ?? []].flat()
  if (types.length > 0 && !types.some((one) => isOfType(one, value))) return `${at} is no ${types}`
  if (typeof value === 'string') return textViolation(rest, value, at)
  if (typeof value === 'number') return numberViolation(rest, value, at)
  if (Array.isArray(value)) return listViolation(rest, value, resolve, at)
  if (typeof value === 'object' && value !== null) return objectViolation(rest, value, resolve, at)
  return null
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value)
    case 'number':
      return Number.isFinite(value)
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    default:
      return typeof value === type
  }
}

function textViolation(schema: Schema, value: string, at: string): string | null {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern, format } = schema
  const length = [...value].length
  if (length < minLength || length > maxLength) return `${at} is of the wrong length`
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value))
    return `${at} has no such form`
  if (format === 'uuid' && !uuid.test(value)) return `${at} is no UUID`
  if (format === 'date-time' && !dateTime.test(value)) return `${at} is no date-time`
  if (format === 'uri' && !URL.canParse(value)) return `${at} is no URI`
  return null
}

function numberViolation(schema: Schema, value: number, at: string): string | null {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema
  return value < minimum || value > maximum ? `${at} is out of range` : null
}

function listViolation(
  { items, minItems = 0, maxItems = Number.POSITIVE_INFINITY }: Schema,
  list: unknown[],
  resolve: Resolve,
  at: string,
): string | null {
  if (list.length < minItems || list.length > maxItems) return `${at} has the wrong length`
  if (!items || items['x-own-verdict']) return null
  for (const [index, item] of list.entries()) {
    const found = violation(items, item, resolve, `${at}.${index}`)
    if (found) return found
  }
  return null
}

function objectViolation(
  { properties = {}, required = [], additionalProperties, propertyNames }: Schema,
  value: object,
  resolve: Resolve,
  at: string,
): string | null {
  const missing = required.find((key) => !Object.hasOwn(value, key))
  if (missing !== undefined) return `${at}.${missing} is missing`
  for (const [key, inner] of Object.entries(value)) {
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined
    if (propertyNames && violation(propertyNames, key, resolve)) return `${at}.${key} is no name`
    if (!known && additionalProperties === false) return `${at}.${key} is not known`
    const schema = known ?? (typeof additionalProperties === 'object' ? additionalProperties : {})
    const found = violation(schema, inner, resolve, `${at}.${key}`)
    if (found) return found
  }
  return null
}
