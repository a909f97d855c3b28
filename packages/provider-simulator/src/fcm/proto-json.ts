import type { FieldKind, Shape } from './message-shape.ts'

/** What is wrong with a body, in the words of Google's JSON parser. */
export interface Violation {
  field: string
  message: string
}

export type JsonObject = Record<string, unknown>

/** Whether a parsed JSON value is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads a field under either of the spellings that proto JSON allows. */
export function field(object: JsonObject, snakeName: string): unknown {
  return object[snakeName] ?? object[camel(snakeName)]
}

/** A field that is an object; an empty one where it is absent. */
export function objectField(object: JsonObject, snakeName: string): JsonObject {
  const value = field(object, snakeName)
  return isObject(value) ? value : {}
}

/** A field that is a text; empty where it is absent. */
export function textField(object: JsonObject, snakeName: string): string {
  const value = field(object, snakeName)
  return typeof value === 'string' ? value : ''
}

/** The first field that has no place in the shape or has the wrong type. */
export function firstViolation(value: unknown, shape: Shape, path: string): Violation | null {
  if (!isObject(value)) return wrongType(path, 'type.googleapis.com/google.protobuf.Message', value)
  for (const [name, fieldValue] of Object.entries(value)) {
    const kind = kindOf(shape, name)
    if (kind === undefined) return unknownName(name, path)
    if (fieldValue === null) continue
    const violation = check(fieldValue, kind, path === '' ? name : `${path}.${name}`)
    if (violation !== null) return violation
  }
  return null
}

function kindOf(shape: Shape, name: string): FieldKind | undefined {
  if (Object.hasOwn(shape, name)) return shape[name]
  const snakeName = name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
  return Object.hasOwn(shape, snakeName) ? shape[snakeName] : undefined
}

function check(value: unknown, kind: FieldKind, path: string): Violation | null {
  switch (kind) {
    case 'string':
      return typeof value === 'string' ? null : wrongType(path, 'TYPE_STRING', value)
    case 'bool':
      return typeof value === 'boolean' ? null : wrongType(path, 'TYPE_BOOL', value)
    case 'int':
      return isNumeric(value, /^-?\d+$/) ? null : wrongType(path, 'TYPE_INT32', value)
    case 'number':
      return isNumeric(value, /^-?[\d.]+$/) ? null : wrongType(path, 'TYPE_FLOAT', value)
    case 'strings':
      return checkStrings(value, path)
    case 'string-map':
      return checkMap(value, path)
    case 'struct':
      return isObject(value) ? null : wrongType(path, 'google.protobuf.Struct', value)
    default:
      return isEnum(kind) ? checkEnum(value, kind, path) : firstViolation(value, kind, path)
  }
}

function checkStrings(value: unknown, path: string): Violation | null {
  if (!Array.isArray(value)) return wrongType(path, 'TYPE_STRING', value)
  const at = value.findIndex((item) => typeof item !== 'string')
  return at < 0 ? null : wrongType(`${path}[${at}]`, 'TYPE_STRING', value[at])
}

/** A map's entries are numbered, as in the list of entries that a proto map is. */
function checkMap(value: unknown, path: string): Violation | null {
  if (!isObject(value)) return wrongType(path, 'Map', value)
  const values = Object.values(value)
  const at = values.findIndex((item) => typeof item !== 'string')
  return at < 0 ? null : wrongType(`${path}[${at}].value`, 'TYPE_STRING', values[at])
}

function checkEnum(value: unknown, names: readonly string[], path: string): Violation | null {
  if (typeof value === 'number' && value >= 0 && value < names.length) return null
  const isName = typeof value === 'string' && names.includes(value.toUpperCase())
  return isName ? null : wrongType(path, 'TYPE_ENUM', value)
}

function isEnum(kind: readonly string[] | Shape): kind is readonly string[] {
  return Array.isArray(kind)
}

function isNumeric(value: unknown, text: RegExp): boolean {
  return typeof value === 'number' || (typeof value === 'string' && text.test(value))
}

function wrongType(path: string, type: string, value: unknown): Violation {
  const said = isObject(value) || Array.isArray(value) ? 'Starting an object' : format(value)
  return { field: path, message: `Invalid value at '${path}' (${type}), ${said}` }
}

function unknownName(name: string, path: string): Violation {
  const where = path === '' ? '' : ` at '${path}'`
  return {
    field: path,
    message: `Invalid JSON payload received. Unknown name "${name}"${where}: Cannot find field.`,
  }
}

function format(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing'
}

function camel(snakeName: string): string {
  return snakeName.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
