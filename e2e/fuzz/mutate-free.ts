import { refused } from './case.ts'
import type { Schema } from './documents.ts'
import { addAt, leaf, type Path, type Tree, treeOf } from './json-tree.ts'
import type { Choice } from './mutate-body.ts'

const nestedTooDeep = nested(20)
const nestedObjects = nested(20_000)
const nestedLists = leaf('['.repeat(20_000) + ']'.repeat(20_000))

/**
 * What objects of any keys (attributes, custom data) must not hold. The documents tell how large they
 * may be, and no more: packages/domain/src/attributes.ts has the other limits.
 */
export function freeObjectMutations(path: Path, tree: Tree, schema: Schema): Choice[] {
  const { maxProperties: keysMax = 300, 'x-max-bytes': bytesMax = 65_536 } = schema
  const tooManyKeys = treeOf(
    Object.fromEntries(Array.from({ length: keysMax + 1 }, (_, index) => [`k${index}`, 1])),
  )
  const tooManyBytes = treeOf('x'.repeat(bytesMax))
  const at = (...inner: string[]) => [...path, ...inner].join('.')
  const adds: [what: string, key: string, value: Tree, at: string][] = [
    ['nesting over 20', 'a', nestedTooDeep, at('a')],
    ['nesting without end', 'a', nestedObjects, at('a')],
    ['lists that nest without end', 'a', nestedLists, at('a')],
    ['NUL in an attribute', 'a', leaf('"\\u0000"'), at('a')],
    ['NUL deep inside', 'a', leaf('{"b":["\\u0000"]}'), at('a.b')],
    ['NUL in a name', 'a\0', treeOf(1), at()],
    ['half a character in an attribute', 'a', leaf('"\\ud800"'), at('a')],
    ['half a character in a name', '\ud800', treeOf(1), at()],
    ['a number without end in an attribute', 'a', leaf('1e400'), at('a')],
    ['a number without end deep inside', 'a', leaf('[{"b":-1e400}]'), at('a')],
    ['a name over its limit', 'é'.repeat(76), treeOf(1), at()],
    ['more bytes than attributes may have', 'a', tooManyBytes, at()],
    ['the name constructor', 'constructor', treeOf(1), at('constructor')],
    ['the name prototype', 'prototype', treeOf(1), at('prototype')],
    ['the name prototype inside', 'a', treeOf({ prototype: 1 }), at('a.prototype')],
  ]
  const poisons: [what: string, key: string, value: Tree, at: string][] = [
    ['__proto__ in attributes', '__proto__', treeOf({ a: 1 }), at('__proto__')],
    ['__proto__ inside an attribute', 'a', leaf('{"__proto__":1}'), at('a.__proto__')],
    ['__proto__ inside a list', 'a', leaf('[{"\\u005f_proto__":1}]'), at('a')],
    ['constructor with a prototype', 'constructor', leaf('{"prototype":1}'), at('constructor')],
  ]
  return [
    ...adds.map(([what, key, value, place]) => ({
      what,
      value: addAt(tree, [], key, value),
      at: refused(place || 'body'),
    })),
    ...poisons.map(([what, key, value, place]) => ({
      what,
      value: addAt(tree, [], key, value),
      at: refused(place, [400]),
    })),
    {
      what: 'too many attributes',
      value: tooManyKeys,
      at: refused(path.join('.')),
    },
  ]
}

function nested(depth: number): Tree {
  return leaf(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)
}
