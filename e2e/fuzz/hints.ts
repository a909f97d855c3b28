import type { Random } from '../random.ts'
import type { Operation, Schema } from './documents.ts'
import { freeObject } from './free-json.ts'
import { leaf, type Tree, treeOf } from './json-tree.ts'
import { type Known, newToken, type Phone } from './known.ts'

/** What a valid request is made for. */
export interface Scene {
  operation: Operation
  known: Known
  phone: Phone
  random: Random
}

type Hint = (scene: Scene, schema: Schema) => Tree | null

/**
 * What a schema cannot say: which token a phone has, that an id is that of something there. By place
 * (`path.id`, `query.limit`, `body.device.id`); null leaves the field out.
 */
const hints: [place: RegExp, hint: Hint][] = [
  [/^path\.token$/, ({ phone }) => treeOf(phone.token)],
  [/^path\.(id|delivery_id)$/, (scene) => treeOf(idFor(scene))],
  [/^query\.id_type$/, () => treeOf('id')],
  [/^query\.email$/, () => treeOf('ana@example.com')],
  [/^query\.(start_ts|end_ts)$/, ({ random }) => treeOf(String(now(random)))],
  [/^query\.timestamp$/, ({ random }) => treeOf(String(now(random)))],
  [/^query\.limit$/, ({ random }) => leaf(String(random.int(1, 100)))],
  [/\.(cursor|start)$/, () => null],
  [/^header\.x-retry-count$/, () => null],
  [/^header\.idempotency-key$/, ({ random }) => treeOf(random.word(random.int(1, 255)))],
  [/^header\.x-(identity-token|installation-secret)$/, () => null],
  [/\.installation_secret$/, ({ random }) => treeOf(random.word(random.int(32, 200)))],
  [/\.platform$/, ({ phone, random }) => treeOf(inAnyCase(phone.platform, random))],
  [/^body\.device\.id$/, ({ phone }) => treeOf(phone.token)],
  [/\.previous_token$/, ({ phone, random }) => treeOf(newToken(random, phone.platform))],
  [/\.message_id$/, ({ known, random }) => treeOf(random.pick(known.messages))],
  [/\.person_id$|\.person_ids\.\d+$/, ({ phone }) => treeOf(phone.person)],
  [/\.token$|\.tokens\.\d+$/, ({ phone }) => treeOf(phone.token)],
  [/\.app_id$/, ({ known }) => treeOf(known.appId)],
  [/\.(timestamp|send_at)$/, (scene) => timestamp(scene)],
  [/\.last_used$/, ({ random }) => lastUsed(random)],
  [/\.image_url$/, ({ random }) => treeOf(`https://images.example/${random.word(8)}.png`)],
  // Customer.io's: people by one of their names, all devices, nothing that is refused by its value.
  [/^body\.identifiers$/, ({ phone }) => treeOf({ id: phone.person })],
  [/^body\.(queue_draft|disable_message_retention|custom_payload)$/, () => null],
  [/^body\.ids\.\d+$/, ({ phone }) => treeOf(phone.person)],
  [/^body\.trigger$/, () => null],
  // A range of time without its end: the beginning has to be before it.
  [/^body\.from$/, (scene) => timestamp(scene)],
  [
    /^body\.to$/,
    (scene, schema) => (scene.operation.path.endsWith('/bounces') ? null : audience(scene, schema)),
  ],
  [/^body\.apns\.headers$/, () => treeOf({ 'apns-push-type': 'alert', 'apns-priority': '5' })],
  [/^body\.custom_data$/, ({ random }) => freeObject(random, true)],
  [/^body\.(title|message|link)$/, ({ random }, schema) => messagePart(random, schema)],
  [/^body\.transactional_message_id$/, ({ random }) => treeOf(random.int(1, 100))],
  [/^body\.(content|apns|fcm)\.\w+$/, ({ random }, schema) => messagePart(random, schema)],
]

/** The value that a field of a valid request should have; undefined where its schema says enough. */
export function hintFor(place: string, scene: Scene, schema: Schema): Tree | null | undefined {
  const found = hints.find(([pattern]) => pattern.test(place))
  return found ? found[1](scene, schema) : undefined
}

function idFor({ operation, known, phone, random }: Scene): string {
  if (operation.path.startsWith('/v1/apps/')) return known.appId
  if (operation.path.includes('/messages/')) return random.pick(known.messages)
  return phone.person
}

function now(random: Random): number {
  return Math.floor(Date.now() / 1000) - random.int(0, 5)
}

function timestamp({ random, operation }: Scene): Tree {
  const seconds = now(random)
  // Customer.io's are numbers.
  const isNumber = operation.path.startsWith('/customerio/') || random.chance(0.5)
  return treeOf(isNumber ? seconds : new Date(seconds * 1000).toISOString())
}

function lastUsed(random: Random): Tree {
  return treeOf(random.chance(0.5) ? now(random) : String(now(random)))
}

function inAnyCase(text: string, random: Random): string {
  return random.pick([
    text,
    text,
    text.toUpperCase(),
    `${text.charAt(0).toUpperCase()}${text.slice(1)}`,
  ])
}

/** Exactly one way to say whom a message is for; seldom everyone. */
function audience({ phone, random }: Scene, { properties }: Schema): Tree {
  if (!properties) return treeOf(random.pick(['all', 'last_used', phone.token]))
  const lists = { person_ids: [phone.person], tokens: [phone.token] }
  const single = { person_id: phone.person, token: phone.token }
  const ways = Object.entries({ ...lists, ...single }).filter(([key]) =>
    Object.hasOwn(properties, key),
  )
  if (ways.length === 0 || random.chance(0.02)) return treeOf({ all: true })
  const [key, value] = random.pick(ways)
  return treeOf({ [key]: value })
}

/** All parts of a message together have to fit into what a provider takes. */
function messagePart(random: Random, schema: Schema): Tree {
  if (schema.type === 'object') return freeObject(random, true)
  if (schema.type === 'integer') return treeOf(random.int(0, 99_999))
  return treeOf(random.pick([random.word(20), 'Grüße 😀', 'a b']))
}
