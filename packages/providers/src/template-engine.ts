import { performance } from 'node:perf_hooks'
import { type Context, defaultOperators, Liquid } from 'liquidjs'

/**
 * What a template may cost. Lengths are characters; a list's length is the number of its items. No push is
 * longer than 5,120 bytes, so that a longer text is of no use.
 */
export const templateLimits = {
  /** Characters of all templates of a message. */
  messageLength: 32_768,
  /** Blocks inside one another, and brackets. */
  depth: 50,
  /** Tags, outputs, filters and further arguments of all templates of a message, and the characters inside them. */
  steps: 400,
  codeLength: 8192,
  /** Characters and items that one rendering makes. */
  made: 20_000,
  /** Characters of a text, and items of a list, that a filter takes. */
  textLength: 5120,
  listLength: 1000,
  /** Items of a list that filters take which look into each item, or compare them. */
  searchedLength: 200,
  /** Characters that filters take whose time grows with the square of the length. */
  spacedLength: 1000,
  /** Time of rendering all templates of one push, in milliseconds, where nobody says otherwise. */
  renderMs: 25,
} as const

// What loops, reads files, or evaluates an expression for each item of a list.
const tagsLeftOut = [
  ...['include', 'render', 'layout', 'block', 'liquid'],
  ...['for', 'tablerow', 'cycle', 'increment', 'decrement'],
]
const filtersLeftOut = [
  ...['where_exp', 'reject_exp', 'group_by_exp', 'has_exp', 'find_exp', 'find_index_exp'],
  ...['group_by', 'inspect'],
]
const spacedFilters = new Set([
  ...['strip', 'lstrip', 'rstrip', 'squish', 'normalize_whitespace', 'strip_html', 'slugify'],
  ...['strip_newlines', 'truncatewords', 'number_of_words', 'escape_once'],
])

const { contains } = defaultOperators
if (contains === undefined) throw new Error('the template engine has no contains')

// Written by customers of our users: what a template costs is bounded by its length, by what it makes and by
// what each filter takes. The time is looked at before each tag and each filter.
export const templateEngine = new Liquid({
  templates: {},
  ownPropertyOnly: true,
  strictFilters: true,
  parseLimit: templateLimits.messageLength,
  memoryLimit: templateLimits.made,
  renderLimit: templateLimits.renderMs,
  operators: {
    ...defaultOperators,
    contains(whole: unknown, part: unknown, context: Context) {
      context.renderLimit.check(performance.now())
      const most = Array.isArray(whole) ? templateLimits.made : templateLimits.textLength
      const isLong = (one: unknown) =>
        (typeof one === 'string' || Array.isArray(one)) && one.length > most
      if (isLong(whole) || isLong(part)) throw new Error(`contains takes at most ${most}`)
      return contains(whole, part, context)
    },
  },
})
for (const tag of tagsLeftOut) delete templateEngine.tags[tag]
for (const name of filtersLeftOut) delete templateEngine.filters[name]
for (const [name, filter] of Object.entries(templateEngine.filters)) {
  if (filter === undefined) continue
  const lengthMax = spacedFilters.has(name)
    ? templateLimits.spacedLength
    : templateLimits.textLength
  const isObject = typeof filter === 'object'
  const handler = bounded(name, isObject ? filter.handler : filter, lengthMax)
  templateEngine.registerFilter(name, isObject ? { ...filter, handler } : handler)
}

const simpleListFilters = new Set(['size', 'first', 'last', 'join', 'sample', 'reverse', 'slice'])

type Filter = Extract<(typeof templateEngine.filters)[string], (...args: never[]) => unknown>

function bounded(name: string, filter: Filter, lengthMax: number): Filter {
  return function (value, ...args) {
    this.context.renderLimit.check(performance.now())
    for (const one of [value, ...args]) {
      const listMax = simpleListFilters.has(name)
        ? templateLimits.listLength
        : templateLimits.searchedLength
      const most = Array.isArray(one) ? listMax : lengthMax
      if ((Array.isArray(one) || typeof one === 'string') && one.length > most) {
        throw new Error(`${name} takes at most ${most}`)
      }
    }
    return filter.call(this, value, ...args)
  }
}

const opening = new Set(['if', 'unless', 'case', 'capture', 'comment', 'raw'])

/** What a template consists of, found without parsing it. */
export interface TemplateShape {
  /** Tags, outputs, filters and further arguments. */
  steps: number
  /** Characters inside tags and outputs. */
  codeLength: number
  /** How deep blocks, and brackets of an expression, are inside one another. */
  depth: number
  /** It makes a list of numbers from one to another. */
  hasRange: boolean
}

/** Looks through a template once, from its beginning to its end. */
export function templateShape(text: string): TemplateShape {
  const shape: TemplateShape = { steps: 0, codeLength: 0, depth: 0, hasRange: false }
  let blocks = 0
  let from = nextTag(text, 0)
  while (from !== -1) {
    const close = text[from + 1] === '{' ? '}}' : '%}'
    const end = text.indexOf(close, from + 2)
    const code = text.slice(from + 2, end === -1 ? text.length : end)
    addCode(shape, code)
    const name = close === '%}' ? (/^-?\s{0,20}(\w{0,20})/.exec(code)?.[1] ?? '') : ''
    if (opening.has(name)) blocks += 1
    else if (name.startsWith('end')) blocks = Math.max(0, blocks - 1)
    shape.depth = Math.max(shape.depth, blocks)
    if (end === -1) break
    from = nextTag(text, end + 2)
  }
  return shape
}

function nextTag(text: string, from: number): number {
  for (let at = text.indexOf('{', from); at !== -1; at = text.indexOf('{', at + 1)) {
    if (text[at + 1] === '{' || text[at + 1] === '%') return at
  }
  return -1
}

/** Adds one tag or output. What stands in quotes is no code. */
function addCode(shape: TemplateShape, code: string): void {
  shape.steps += 1
  shape.codeLength += code.length
  let quote: string | null = null
  let brackets = 0
  for (const [at, letter] of [...code].entries()) {
    if (quote !== null) {
      if (letter === quote) quote = null
      continue
    }
    if (letter === '"' || letter === "'") quote = letter
    else if (letter === '|' || letter === ',') shape.steps += 1
    else if (letter === '[' || letter === '(') brackets += 1
    else if (letter === ']' || letter === ')') brackets -= 1
    else if (letter === '.' && code[at + 1] === '.') shape.hasRange = true
    shape.depth = Math.max(shape.depth, brackets)
  }
}
