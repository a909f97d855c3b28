import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type AttributeChange,
  type Attributes,
  AttributesInput,
  attributeChange,
  deviceAttributeChange,
  foldChanges,
  IdentifyInput,
} from '../src/index.ts'

function nested(depth: number): unknown {
  let value: unknown = 'leaf'
  for (let i = 0; i < depth; i += 1) value = { inner: value }
  return value
}

const refused: [string, unknown, (string | number)[]][] = [
  ['__proto__', JSON.parse('{"a":{"__proto__":{"x":1}}}'), ['a', '__proto__']],
  ['constructor', { constructor: 1 }, ['constructor']],
  ['prototype', { a: [{ prototype: 1 }] }, ['a', 0, 'prototype']],
  ['nesting over 20', nested(21), ['inner', 'inner', 'inner']],
  ['NUL in a text', { a: 'x\u0000' }, ['a']],
  ['a lone surrogate', { a: '\ud800' }, ['a']],
  ['an infinite number', { a: Number.POSITIVE_INFINITY }, ['a']],
  ['a key of 151 bytes', { ['k'.repeat(151)]: 1 }, []],
  ['301 keys', Object.fromEntries(Array.from({ length: 301 }, (_, i) => [`k${i}`, i])), []],
  ['more than 64 KiB', { a: 'x'.repeat(65_536) }, []],
  ['an array', [], []],
  ['text', 'x', []],
]

test.each(refused)('attributes with %s are refused by path', (_name, value, path) => {
  const result = AttributesInput.safeParse(value)
  expect(result.success).toBe(false)
  expect(result.error?.issues[0]?.path).toEqual(path)
})

test('attributes nested 20 deep, of any JSON, are taken as they are', () => {
  const value = { deep: nested(19), list: [1, 'a', null, true, {}], text: 'ä🙂', empty: {} }
  expect(AttributesInput.parse(value)).toEqual(value)
})

test('null and the empty text remove a key at the top level alone', () => {
  expect(attributeChange({ a: null, b: '', c: { d: null, e: '' }, f: 0, g: false })).toEqual({
    set: { c: { d: null, e: '' }, f: 0, g: false },
    remove: ['a', 'b'],
  })
})

test('a merge is idempotent and leaves the keys that were not sent', () => {
  const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))
  const attributes = fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), value, {
    noNullPrototype: true,
  })
  fc.assert(
    fc.property(attributes, attributes, (stored, sent) => {
      const merge = (base: Record<string, unknown>) => {
        const { set, remove } = attributeChange(sent)
        const merged = new Map([...Object.entries(base), ...Object.entries(set)])
        for (const key of remove) merged.delete(key)
        return Object.fromEntries(merged)
      }
      const once = merge(stored)
      expect(merge(once)).toEqual(once)
      for (const [key, kept] of Object.entries(stored)) {
        if (!Object.hasOwn(sent, key)) expect(once[key]).toEqual(kept)
      }
    }),
  )
})

const permissions: [unknown, boolean | null][] = [
  [true, true],
  [false, false],
  ['true', true],
  ['FALSE', false],
  ['', true],
  [null, true],
  [undefined, null],
]

test.each(permissions)('push_enabled %j is the permission %j', (sent, pushPermission) => {
  const result = deviceAttributeChange(sent === undefined ? {} : { push_enabled: sent as never })
  expect(result).toMatchObject({ kind: 'change', change: { pushPermission } })
})

test('push_enabled of another kind, and reserved attributes that are objects, are named', () => {
  expect(deviceAttributeChange({ push_enabled: 'perhaps' })).toMatchObject({
    kind: 'problem',
    problem: { path: 'attributes.push_enabled' },
  })
  expect(deviceAttributeChange({ device_os: { major: 17 } })).toMatchObject({
    kind: 'problem',
    problem: { path: 'attributes.device_os' },
  })
})

test('reserved device attributes become text; _last_status of a client is left aside', () => {
  expect(
    deviceAttributeChange({ device_os: 34, app_version: '1.2', _last_status: 'sent', own: 5 }),
  ).toEqual({
    kind: 'change',
    change: {
      set: { device_os: '34', app_version: '1.2', own: 5 },
      remove: [],
      pushPermission: null,
    },
  })
})

test('unknown fields of a request are named', () => {
  expect(IdentifyInput.safeParse({ attribute: {} }).success).toBe(false)
})

const apply = (before: Attributes, { set, remove }: AttributeChange): Attributes =>
  Object.fromEntries(
    Object.entries({ ...before, ...set }).filter(([name]) => !remove.includes(name)),
  )
const someAttributes = fc.dictionary(
  fc.constantFrom('a', 'b', 'c'),
  fc.constantFrom(1, 2, null, '', { nested: null }),
  { noNullPrototype: true },
)

test('several changes in one do what they do one after the other', () => {
  fc.assert(
    fc.property(someAttributes, fc.array(someAttributes), (present, sent) => {
      const before = attributeChange(present).set
      const changes = sent.map(attributeChange)
      const folded = foldChanges(changes.map((change) => ({ change, at: null })))
      expect(folded.times).toEqual({})
      expect(apply(before, folded)).toEqual(changes.reduce(apply, before))
    }),
  )
})

test('changes that tell their time come to the same in whatever order they come', () => {
  fc.assert(
    fc.property(fc.array(someAttributes), fc.infiniteStream(fc.nat()), (sent, numbers) => {
      const inOrder = sent.map((attributes, at) => ({ change: attributeChange(attributes), at }))
      const shuffled = inOrder
        .map((change) => ({ change, rank: numbers.next().value }))
        .toSorted((one, other) => one.rank - other.rank)
        .map(({ change }) => change)
      const [one, other] = [foldChanges(inOrder), foldChanges(shuffled)]
      expect([other.set, other.times, other.remove.toSorted()]).toEqual([
        one.set,
        one.times,
        one.remove.toSorted(),
      ])
    }),
  )
})
