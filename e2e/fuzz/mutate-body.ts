import type { Random } from '../random.ts'
import { type Expected, refused } from './case.ts'
import type { Operation, Schema } from './documents.ts'
import { addAt, childOf, leaf, type Path, replaceAt, type Tree, treeOf } from './json-tree.ts'
import { freeObjectMutations } from './mutate-free.ts'
import { ruleMutations } from './mutate-rules.ts'
import { violation } from './schema-check.ts'

/** A body with one thing wrong. */
export interface BodyMutation {
  what: string
  body: Tree
  expected: Expected
}

interface Place {
  path: Path
  schema: Schema
  tree: Tree
}

/** Changes one place of a valid body so that it is bad for certain. */
export function mutateBody(operation: Operation, body: Tree, random: Random): BodyMutation | null {
  const rules = ruleMutations(operation, body)
  if (rules.length > 0 && random.chance(0.15)) return random.pick(rules)
  const places = placesOf(operation, operation.body?.schema ?? {}, body, [])
  const place = random.pick(places)
  const choices = mutationsAt(operation, place, random)
  if (choices.length === 0) return null
  const { what, value, at } = random.pick(choices)
  return { what, body: replaceAt(body, place.path, value), expected: at }
}

/** Every place of a body together with its schema. */
function placesOf(operation: Operation, reference: Schema, tree: Tree, path: Path): Place[] {
  const schema = operation.resolve(reference)
  const here = { path, schema, tree }
  if (tree.kind === 'object' && schema.properties) {
    const inner = Object.entries(schema.properties).flatMap(([key, child]) => {
      const value = childOf(tree, key)
      return value ? placesOf(operation, child, value, [...path, key]) : []
    })
    return [here, ...inner]
  }
  if (tree.kind === 'array' && schema.items) {
    const { items } = schema
    const inner = tree.items.map((item, index) =>
      placesOf(operation, items, item, [...path, index]),
    )
    return [here, ...inner.flat()]
  }
  return [here]
}

export interface Choice {
  what: string
  /** What stands there instead. */
  value: Tree
  at: Expected
}

function mutationsAt(operation: Operation, place: Place, random: Random): Choice[] {
  const { path, schema, tree } = place
  const isFree = schema.additionalProperties === true && !schema.properties
  return [
    ...badValues(operation, place),
    ...(schema.properties ? keyMutations(place, random) : []),
    ...(isFree && tree.kind === 'object' ? freeObjectMutations(path, tree) : []),
    ...(schema.propertyNames && tree.kind === 'object' ? [badName(path, tree)] : []),
    ...(schema.maxItems === undefined ? [] : [tooManyItems(path, tree, schema.maxItems)]),
  ]
}

const lists = '['.repeat(20_000) + ']'.repeat(20_000)

const candidates: [what: string, text: string][] = [
  ['null', 'null'],
  ['a boolean', 'true'],
  ['false', 'false'],
  ['a number', '7'],
  ['a negative number', '-1'],
  ['a fraction', '1.5'],
  ['a number without end', '1e400'],
  ['a number without end below zero', '-1e400'],
  ['a number past every date', '253402300800'],
  ['a huge number', '123456789012345678901234567890'],
  ['text', '"zz zz"'],
  ['a number in quotes', '"7"'],
  ['empty text', '""'],
  ['NUL', '"\\u0000"'],
  ['NUL after text', '"abc\\u0000"'],
  ['half a character', '"\\ud800"'],
  ['half a character after text', '"abc\\udc00"'],
  ['a list', '[]'],
  ['a list with something in it', '[1]'],
  ['a list in a list', '[[[]]]'],
  ['an object', '{}'],
  ['an object with something in it', '{"a":1}'],
  ['lists without end', lists],
]
const parsed = candidates.map(([what, text]) => ({
  what,
  text,
  value: JSON.parse(text) as unknown,
}))

/** Values that the schema refuses, and text that nothing of ours can hold. */
function badValues(operation: Operation, { path, schema }: Place): Choice[] {
  // Of a whole body that is an object after all, its keys are at fault.
  const keys = Object.keys(schema.properties ?? {})
  const at = refused(path.length === 0 ? ['body', 'a', ...keys] : path.join('.'))
  return [...parsed, ...edges(schema)]
    .filter(({ value }) => {
      // `null` where a body may be left out says that there is none.
      if (path.length === 0 && value === null && !operation.body?.isRequired) return false
      const isText = typeof value === 'string'
      const isUnstorable = isText && (value.includes('\0') || !value.isWellFormed())
      return isUnstorable || violation(schema, value, operation.resolve) !== null
    })
    .map(({ what, text }) => ({ what: `${what} for a value`, value: leaf(text), at }))
}

/** Just past what the schema allows. */
function edges({ maxLength, maximum, minimum }: Schema): (typeof parsed)[number][] {
  const entry = (what: string, value: unknown) => ({ what, text: JSON.stringify(value), value })
  return [
    ...(maxLength === undefined ? [] : [entry('text one too long', 'x'.repeat(maxLength + 1))]),
    ...(maxLength === undefined ? [] : [entry('text far too long', 'é'.repeat(maxLength * 2))]),
    ...(maximum === undefined ? [] : [entry('a number one too large', maximum + 1)]),
    ...(minimum === undefined ? [] : [entry('a number one too small', minimum - 1)]),
  ]
}

const oddKeys = [
  'extra',
  'constructor',
  'toString',
  'hasOwnProperty',
  'x'.repeat(300),
  'ü\u0000',
  '\ud800',
  ' ',
]

/** A key that is missing, unknown, or that would change a prototype. */
function keyMutations({ path, schema, tree }: Place, random: Random): Choice[] {
  const add = (key: string, value: Tree) => addAt(tree, [], key, value)
  const at = (key: string) => [...path, key].join('.').slice(0, 200)
  const missing = (schema.required ?? []).map(
    (key): Choice => ({
      what: `without ${key}`,
      value: replaceAt(tree, [key], null),
      at: refused(at(key)),
    }),
  )
  const twice = (schema.required ?? []).map(
    (key): Choice => ({
      what: `${key} twice, wrong the second time`,
      value: add(key, treeOf(null)),
      at: refused(at(key)),
    }),
  )
  const odd = random.pick(oddKeys)
  const unknown: Choice[] = [
    { what: 'an unknown field', value: add(odd, treeOf(1)), at: refused(at(odd)) },
    {
      what: 'an unknown field that nests without end',
      value: add('extra', leaf(lists)),
      at: refused(at('extra')),
    },
  ]
  const poison: Choice[] = [
    {
      what: '__proto__',
      value: add('__proto__', treeOf({ a: 1 })),
      at: refused(at('__proto__'), [400]),
    },
    {
      what: 'constructor with a prototype',
      value: add('constructor', treeOf({ prototype: {} })),
      at: refused(at('constructor'), [400]),
    },
  ]
  return schema.additionalProperties === false
    ? [...missing, ...twice, ...unknown, ...poison]
    : [...missing, ...poison]
}

function badName(path: Path, tree: Tree): Choice {
  const value = addAt(tree, [], 'no-such-name', treeOf('x'))
  return { what: 'an unknown name', value, at: refused([...path, 'no-such-name'].join('.')) }
}

function tooManyItems(path: Path, tree: Tree, maxItems: number): Choice {
  const [item = treeOf('x')] = tree.kind === 'array' ? tree.items : []
  const items = Array.from({ length: maxItems + 1 }, () => item)
  // Where single items are large, so many are also more than a body may be.
  return { what: 'too many items', value: { kind: 'array', items }, at: refused(path.join('.')) }
}
