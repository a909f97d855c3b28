import type { Random } from '../random.ts'
import { type Expected, either, refused } from './case.ts'
import type { Model } from './valid.ts'

export interface ModelMutation {
  what: string
  model: Model
  expected: Expected
}

const badParts: [what: string, part: string][] = [
  ['NUL', '%00'],
  ['NUL inside', 'a%00b'],
  ['a byte that is no UTF-8', '%ff'],
  ['half a character', '%ed%a0%80'],
  ['an overlong slash', '%c0%af'],
  ['a percent sign alone', '%'],
  ['no hexadecimal digits', '%zz'],
  ['4,097 letters', 'a'.repeat(4097)],
  ['20,000 letters', 'a'.repeat(20_000)],
  ['no text', ''],
]

/** What may be a name, but of nothing that is there. */
const oddParts: [what: string, part: string][] = [
  ['two dots', '..'],
  ['two dots, encoded', '%2e%2e'],
  ['a way out', '%2e%2e%2f%2e%2e%2fetc%2fpasswd'],
  ['a slash, encoded', 'a%2fb'],
  ['a backslash', '..%5c'],
  ['a question mark, encoded', '%3fa=b'],
  ['a wildcard', '*'],
  ['a quote', "'%20or%201=1--"],
  ['a template', '$%7b7*7%7d'],
  ['a line break', 'a%0d%0aset-cookie:%20x'],
  ['a prototype', '__proto__'],
  ['a byte beyond ASCII', '\u00e9'],
  ['an emoji', '%f0%9f%98%80'],
  ['encoded twice', '%2500'],
]

/** Puts something bad into a part of the path. */
export function mutatePath(model: Model, random: Random): ModelMutation | null {
  const names = Object.keys(model.pathParts)
  if (names.length === 0) return null
  const name = random.pick(names)
  const { operation } = model
  // A person may be called anything, and another request may have made one of that name.
  const isPerson = name === 'id' && /^\/v1\/people\/|\/customers\//.test(operation.path)
  const isOdd = random.chance(0.4)
  const [what, part] = random.pick(isOdd ? oddParts : badParts)
  // It has the letters of an Android token, too.
  const isToken = name === 'token' && part === '__proto__'
  const mayBeTaken = isToken || (isOdd && isPerson)
  const expected = mayBeTaken ? either : refused(undefined, [400, 404, 414, 422, 431])
  const pathParts = { ...model.pathParts, [name]: part }
  return { what: `${what} as ${name}`, model: { ...model, pathParts }, expected }
}

const badValues = [
  '',
  '%00',
  'zz%20zz',
  '-1',
  '1.5',
  '1e9',
  '0',
  '1000',
  '%ff',
  '%zz',
  "'",
  '{}',
  'true',
  'NaN',
  '+1',
]

/** Changes one parameter of the query. Nothing but what an operation describes is taken. */
export function mutateQuery(model: Model, random: Random): ModelMutation | null {
  const described = model.operation.parameters.filter((parameter) => parameter.in === 'query')
  if (described.length === 0) return null
  const { name } = random.pick(described)
  const others = model.query.filter(([key]) => key !== name)
  const kind = random.pick(['unknown', 'twice', 'bad', 'bad', 'bad', 'long'])
  // The dialects refuse as their original does, which looks for the person first.
  const statuses = Object.hasOwn(model.operation.responses, 422) ? [422] : [400, 404]
  const made = (what: string, query: [string, string][], at: string): ModelMutation => ({
    what: `${what} in the query`,
    model: { ...model, query },
    expected: refused(at, statuses),
  })
  if (kind === 'unknown') {
    const key = random.pick([
      'extra',
      'constructor',
      'toString',
      `${name}%00`,
      '%ff',
      'x'.repeat(300),
    ])
    return {
      ...made('an unknown parameter', [...model.query, [key, '1']], ''),
      expected: refused(undefined, statuses),
    }
  }
  if (kind === 'twice') return made(`${name} twice`, [...others, [name, '1'], [name, '2']], name)
  if (kind === 'long') return made(`a long ${name}`, [...others, [name, 'x'.repeat(5000)]], name)
  const bad = badValues.filter((value) => !mayBeTaken(name, value))
  return made(`a bad ${name}`, [...others, [name, random.pick(bad)]], name)
}

/** Times are numbers, names any text; how many digits a limit has is told by its range. */
function mayBeTaken(name: string, value: string): boolean {
  if (name === 'email' || name === 'name') return value !== '%00'
  // Customer.io's last page has an empty `next`, its first an empty `start`.
  if (name === 'start') return value === ''
  return /^timestamp$|_ts$/.test(name) && ['0', '1000', '1.5'].includes(value)
}
