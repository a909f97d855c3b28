import type { Random } from '../random.ts'
import { leaf, type Tree, treeOf } from './json-tree.ts'

const oddTexts = [
  'ü€😀',
  '\u2028',
  '"\\',
  '<script>',
  "';--",
  '\u0001',
  '\ud83d\ude00',
  ' ',
  '\u202e',
]
const oddNumbers = ['0', '-0', '-1', '1e20', '1.5e-7', '9007199254740993', '1E308', '5e-324']

/** Attributes that must be taken: any JSON within the limits, now and then just at one of them. */
export function freeObject(random: Random, isSmall: boolean): Tree {
  if (!isSmall && random.chance(0.1)) return atLimit(random)
  const size = random.int(0, isSmall ? 3 : 6)
  const entries = Array.from({ length: size }, (_, index): [string, Tree] => [
    `${random.word(random.int(1, isSmall ? 6 : 20))}${index}`,
    freeValue(random, isSmall ? 1 : 3),
  ])
  return { kind: 'object', entries }
}

/** Any JSON value, objects and lists inside it at most `depth` deep. */
export function freeValue(random: Random, depth: number): Tree {
  const kinds = ['text', 'odd', 'number', 'boolean', 'null', 'empty']
  switch (random.pick(depth > 0 ? [...kinds, 'object', 'list'] : kinds)) {
    case 'text':
      return treeOf(random.word(random.int(0, 12)))
    case 'odd':
      return treeOf(random.pick(oddTexts))
    case 'number':
      return random.chance(0.5) ? leaf(random.pick(oddNumbers)) : treeOf(random.int(-1000, 1e9))
    case 'boolean':
      return treeOf(random.chance(0.5))
    case 'object':
      return {
        kind: 'object',
        entries: [[random.word(4), freeValue(random, depth - 1)]],
      }
    case 'list':
      return { kind: 'array', items: [freeValue(random, depth - 1), freeValue(random, depth - 1)] }
    case 'null':
      return treeOf(null)
    default:
      return treeOf('')
  }
}

/** One object at the very edge of what is taken. */
function atLimit(random: Random): Tree {
  const kind = random.pick(['depth', 'keys', 'name', 'bytes'])
  if (kind === 'depth') {
    const inner = Array.from({ length: 20 }).reduce<unknown>((value) => ({ a: value }), 1)
    return treeOf(inner)
  }
  if (kind === 'keys') {
    return treeOf(Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`k${index}`, 1])))
  }
  if (kind === 'name') return treeOf({ ['é'.repeat(75)]: 1 })
  return treeOf({ a: 'x'.repeat(65_536 - '{"a":""}'.length) })
}
