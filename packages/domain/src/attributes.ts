import { z } from 'zod'
import { isCleanText } from './text.ts'

/** JSON as it is stored. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** Facts about a person or a device, by name. */
export type Attributes = Record<string, Json>

/** Deepest nesting of an attribute's value, the attribute itself being level 1. */
export const attributeDepthMax = 20

/** Longest attribute name in bytes, most attributes in one object, most bytes of JSON in one. */
export const attributeNameBytesMax = 150
export const attributeCountMax = 300
export const attributeBytesMax = 65_536

// Own keys of these names change an object's prototype when it is copied key by key.
const forbiddenKeys = new Set(['__proto__', 'constructor', 'prototype'])

type Path = (string | number)[]
/** `isFar`: the path is longer than anybody reads. */
type Found = { path: Path; message: string; isFar?: true }

/** The first thing wrong inside a value, with its path; null where all is well. */
function findProblem(value: unknown, depth: number): Found | null {
  if (typeof value === 'string') {
    return isCleanText(value) ? null : { path: [], message: 'must be valid Unicode without NUL' }
  }
  if (typeof value === 'number') {
    return Number.isFinite(value) ? null : { path: [], message: 'must be a finite number' }
  }
  if (value === null || typeof value === 'boolean') return null
  const isList = Array.isArray(value)
  if (!isList && !isPlainObject(value)) return { path: [], message: 'must be JSON' }
  if (depth > attributeDepthMax) {
    const message = `must not nest deeper than ${attributeDepthMax}`
    return { path: [], message, isFar: true }
  }
  if (isList) {
    for (const [index, inner] of value.entries()) {
      const found = findProblem(inner, depth + 1)
      if (found) return within(index, found)
    }
    return null
  }
  for (const key of Object.keys(value)) {
    const found = keyProblem(key)
    if (found) return found
    const inner = findProblem(value[key], depth + 1)
    if (inner) return within(key, inner)
  }
  return null
}

/** A problem of an inner value as one of its outer: paths are made where something is wrong alone. */
function within(key: string | number, found: Found): Found {
  return { ...found, path: [key, ...found.path] }
}

function keyProblem(key: string): Found | null {
  if (forbiddenKeys.has(key)) return { path: [key], message: 'is not allowed as a key' }
  if (!isCleanText(key)) return { path: [], message: 'has a key that is not valid Unicode' }
  if (Buffer.byteLength(key) > attributeNameBytesMax) {
    return { path: [], message: `has a key over ${attributeNameBytesMax} bytes` }
  }
  return null
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

interface ObjectLimits {
  countMax: number
  bytesMax: number
}

/** An object of any JSON, nested at most `attributeDepthMax` deep, without keys that poison a prototype. */
export function jsonObject({ countMax, bytesMax }: ObjectLimits) {
  return z
    .custom<Attributes>(isPlainObject, 'must be an object')
    .superRefine((object, context) => {
      const found = findProblem(object, 1)
      if (found) {
        const path = found.isFar ? found.path.slice(0, 3) : found.path
        context.addIssue({ code: 'custom', path, message: found.message })
      } else if (Object.keys(object).length > countMax) {
        context.addIssue({ code: 'custom', message: `must have at most ${countMax} keys` })
      } else if (Buffer.byteLength(JSON.stringify(object)) > bytesMax) {
        context.addIssue({ code: 'custom', message: `must be at most ${bytesMax} bytes` })
      }
    })
    .meta({
      type: 'object',
      additionalProperties: true,
      maxProperties: countMax,
      'x-max-bytes': bytesMax,
    })
}

/** Attributes as a client sends them. `null` and `""` at the top level remove a key (R8). */
export const AttributesInput = jsonObject({
  countMax: attributeCountMax,
  bytesMax: attributeBytesMax,
})

/** What a merge does (R8): the keys to set, and the keys to remove. */
export interface AttributeChange {
  set: Attributes
  remove: string[]
}

/** Splits attributes as sent into those that change and those that go: `null` or `""` removes. */
export function attributeChange(sent: Attributes): AttributeChange {
  const change: AttributeChange = { set: {}, remove: [] }
  for (const key of Object.keys(sent)) {
    const value = sent[key]
    if (value === null || value === '') change.remove.push(key)
    else if (value !== undefined) change.set[key] = value
  }
  return change
}

/** A change, and when its client made it (ms); null: when it arrived. */
export interface TimedChange {
  change: AttributeChange
  at: number | null
}

/** What several changes come to. `times`: when each key was changed, where its client told. */
export interface FoldedChange extends AttributeChange {
  times: Record<string, number>
}

/**
 * One change that does what several do one after the other. Of two that tell their time the later
 * one counts, key by key, in whatever order they come; one that tells none always counts.
 */
export function foldChanges(changes: readonly TimedChange[]): FoldedChange {
  const values = new Map<string, { value: Json | undefined; at: number | null }>()
  for (const { change, at } of changes) {
    const entries: [string, Json | undefined][] = [
      ...Object.entries(change.set),
      ...change.remove.map((key): [string, undefined] => [key, undefined]),
    ]
    for (const [key, value] of entries) {
      const newest = values.get(key)?.at ?? null
      if (at === null || newest === null || newest <= at) values.set(key, { value, at })
    }
  }
  const folded: FoldedChange = { set: {}, remove: [], times: {} }
  for (const [key, { value, at }] of values) {
    if (value === undefined) folded.remove.push(key)
    else folded.set[key] = value
    if (at !== null) folded.times[key] = at
  }
  return folded
}
