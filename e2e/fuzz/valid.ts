import type { Random } from '../random.ts'
import type { Operation, Schema } from './documents.ts'
import { freeObject, freeValue } from './free-json.ts'
import { hintFor, type Scene } from './hints.ts'
import { addAt, childOf, leaf, type Tree, treeOf } from './json-tree.ts'
import type { Known } from './known.ts'

/** A request before it is written: what a mutation changes. */
export interface Model {
  operation: Operation
  /** As they stand in the path, percent-encoded. */
  pathParts: Record<string, string>
  query: [name: string, value: string][]
  headers: [name: string, value: string][]
  body: Tree | null
}

/** A request that has to be taken: the least that is valid, or with some of what is optional. */
export function validModel(operation: Operation, known: Known, random: Random): Model {
  const scene: Scene = { operation, known, phone: random.pick(known.phones), random }
  const optionalShare = random.chance(0.4) ? 0 : 0.4
  const body = operation.body && validBody(operation, scene, optionalShare)
  const headers: [string, string][] = operation.isOpen
    ? []
    : [['authorization', `Bearer ${known.secretKey}`]]
  if (body) headers.push(['content-type', 'application/json'])
  const model: Model = { operation, pathParts: {}, query: [], headers, body }
  for (const { name, in: where, required = false, schema } of operation.parameters) {
    if (!required && !random.chance(optionalShare)) continue
    const value = generate(schema, `${where}.${name}`, scene, optionalShare)
    if (value?.kind !== 'leaf') continue
    const text = value.text.startsWith('"') ? String(JSON.parse(value.text)) : value.text
    if (where === 'path') model.pathParts[name] = encodeURIComponent(text)
    else if (where === 'query') model.query.push([name, encodeURIComponent(text)])
    else model.headers.push([name, text])
  }
  return model
}

function validBody(operation: Operation, scene: Scene, optionalShare: number): Tree | null {
  if (!operation.body) return null
  if (!operation.body.isRequired && scene.random.chance(0.3)) return null
  const body = generate(operation.body.schema, 'body', scene, optionalShare) ?? treeOf({})
  return withContent(operation, body)
}

/** A rule between fields: a message has to say something. */
function withContent(operation: Operation, body: Tree): Tree {
  if (operation.path.endsWith('/send/push')) return withTitle(body)
  if (operation.name !== 'POST /v1/messages') return body
  const says = ['content', 'apns', 'fcm'].some((key) => childOf(body, key))
  return says ? body : addAt(body, [], 'content', treeOf({ title: 'Hello' }))
}

function withTitle(body: Tree): Tree {
  return childOf(body, 'title') ? body : addAt(body, [], 'title', treeOf('Hello'))
}

function generate(
  reference: Schema,
  place: string,
  scene: Scene,
  optionalShare: number,
): Tree | null {
  const schema = scene.operation.resolve(reference)
  const hint = hintFor(place, scene, schema)
  if (hint !== undefined) return hint
  const { random } = scene
  if (schema.enum) return treeOf(random.pick(schema.enum))
  const branches = schema.anyOf ?? schema.oneOf
  if (branches) return generate(random.pick(branches), place, scene, optionalShare)
  if (schema.type === 'null') return treeOf(null)
  switch ([schema.type ?? []].flat().find((type) => type !== 'null')) {
    case 'object':
      return generateObject(schema, place, scene, optionalShare)
    case 'array': {
      const length = Math.max(schema.minItems ?? 0, random.int(0, 3))
      const items = Array.from({ length }, (_, index) =>
        generate(schema.items ?? {}, `${place}.${index}`, scene, optionalShare),
      )
      return { kind: 'array', items: items.filter((item) => item !== null) }
    }
    case 'integer':
    case 'number':
      return leaf(String(numberWithin(schema, random)))
    case 'boolean':
      return treeOf(random.chance(0.5))
    case 'string':
      return treeOf(textWithin(schema, random))
    default:
      return freeValue(random, 2)
  }
}

function generateObject(
  { properties = {}, required = [], additionalProperties }: Schema,
  place: string,
  scene: Scene,
  optionalShare: number,
): Tree {
  if (additionalProperties === true) return freeObject(scene.random, false)
  const entries: [string, Tree][] = []
  for (const [key, schema] of Object.entries(properties)) {
    if (!required.includes(key) && !scene.random.chance(optionalShare)) continue
    const value = generate(schema, `${place}.${key}`, scene, optionalShare)
    if (value) entries.push([key, value])
  }
  return { kind: 'object', entries }
}

function numberWithin({ minimum = 0, maximum = 1_000_000 }: Schema, random: Random): number {
  return random.pick([minimum, maximum, random.int(minimum, maximum)])
}

/** Mostly short, now and then as long as it may be. */
function textWithin({ minLength = 0, maxLength = 200 }: Schema, random: Random): string {
  const length = random.chance(0.1) ? maxLength : random.int(1, 20)
  return random.word(Math.min(Math.max(length, minLength), maxLength, 4096))
}
