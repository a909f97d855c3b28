import { randomUUID } from 'node:crypto'
import type { Attributes, Json, MessageContent } from '@pushkeep/domain'
import type { Template } from 'liquidjs'
import type { Flaw } from './provider.ts'
import { templateEngine, templateLimits, templateShape } from './template-engine.ts'

/** What a template is filled with: facts about the person, and what came with the message. */
export interface TemplateScope {
  /** null: nobody is known to have the device. */
  customer: Attributes | null
  trigger: Attributes
}

/** A message whose templates are replaced by marks, so that what is around them is built once. */
export interface MarkedContent {
  content: MessageContent
  templates: Templates
}

const roots = new Set(['customer', 'trigger'])

/** Whether a text has to be read as a template at all. */
function isTemplate(text: string): boolean {
  return text.includes('{{') || text.includes('{%')
}

/**
 * What is wrong with a message's templates, and which attributes of the person they read (by their
 * names at the top level); null where it has no template.
 */
export function inspectTemplates(content: MessageContent): {
  flaws: Flaw[]
  personKeys: string[] | null
} {
  const flaws: Flaw[] = []
  const personKeys = new Set<string>()
  const total = { templates: 0, length: 0, steps: 0, codeLength: 0 }
  mapTexts(content, (text, path) => {
    total.templates += 1
    total.length += text.length
    const problem =
      total.length > templateLimits.messageLength
        ? `makes the message's templates longer than ${templateLimits.messageLength} characters`
        : problemOf(text, personKeys, total)
    if (problem !== null) flaws.push({ path, message: problem })
    return text
  })
  return { flaws, personKeys: total.templates === 0 ? null : [...personKeys].sort() }
}

/** Adds the keys that it reads and what it costs; returns what is wrong with it, or null. */
function problemOf(
  text: string,
  personKeys: Set<string>,
  total: { steps: number; codeLength: number },
): string | null {
  const { steps, codeLength, depth, hasRange } = templateShape(text)
  total.steps += steps
  total.codeLength += codeLength
  if (depth > templateLimits.depth) return `must not nest deeper than ${templateLimits.depth}`
  if (hasRange) return 'may not make a list of numbers'
  if (total.steps > templateLimits.steps) {
    return `makes the message's templates take more than ${templateLimits.steps} tags and filters`
  }
  if (total.codeLength > templateLimits.codeLength) {
    return `makes the message's tags longer than ${templateLimits.codeLength} characters`
  }
  try {
    return readKeys(templateEngine.parse(text), personKeys)
  } catch (error) {
    return `is not a template: ${firstLine(error)}`
  }
}

/** Adds the keys of the person that it reads; returns what it may not read, or null. */
function readKeys(parsed: Template[], personKeys: Set<string>): string | null {
  for (const [root, key] of templateEngine.globalVariableSegmentsSync(parsed)) {
    if (typeof root !== 'string' || !roots.has(root)) {
      return `may read customer and trigger, not ${String(root)}`
    }
    if (root === 'trigger') continue
    if (typeof key !== 'string') return 'must name the attribute of customer that it reads'
    personKeys.add(key)
  }
  return null
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n', 1)[0]?.slice(0, 200) ?? ''
}

/** A message with nothing in the place of its templates. */
export function withoutTemplates(content: MessageContent): MessageContent {
  return mapTexts(content, () => '')
}

/**
 * Puts marks in the place of a message's templates. Templates have to be without flaw. `renderMs`: the time that
 * filling them for one person may take.
 */
export function markTemplates(content: MessageContent, renderMs?: number): MarkedContent {
  const templates = new Templates(renderMs)
  return { content: mapTexts(content, (text) => templates.mark(text)), templates }
}

interface KnownTemplate {
  parsed: Template[]
  /** The attributes of the person that it reads. */
  personKeys: string[]
  /** What it came to, by what it read; null: it is not the same for the same. */
  values: Map<string, string> | null
}

/** Most values of a template that are kept, and the longest text of what one read. */
const valuesMax = 1000
const readLengthMax = 200

/** What the templates of a message came to for one person. */
export type Filled =
  | { kind: 'filled'; values: string[] }
  /** A template misuses a filter, or makes too much: it would fail again. */
  | { kind: 'failed' }
  /** The templates, or a machine that stood still, took too long: they are not rendered again in this slice. */
  | { kind: 'out-of-time' }

/** The templates of a message, by number. */
export class Templates {
  readonly #renderMs: number
  readonly #known: KnownTemplate[] = []
  readonly #prefix = `${randomUUID()}.`
  /** What came with the message for which values are kept. */
  #trigger: Attributes | null = null

  /** `renderMs`: the time that all of them together may take for one person, in milliseconds. */
  constructor(renderMs: number = templateLimits.renderMs) {
    this.#renderMs = renderMs
  }

  /** Adds one, and returns what stands for it. */
  mark(text: string): string {
    const personKeys = new Set<string>()
    const parsed = templateEngine.parse(text)
    readKeys(parsed, personKeys)
    this.#known.push({
      parsed,
      personKeys: [...personKeys],
      // The filter `sample` picks at random, anew for each person.
      values: text.includes('sample') ? null : new Map(),
    })
    return `${this.#prefix}${this.#known.length - 1}.`
  }

  /**
   * The values for one person. Each template is rendered once. What was rendered before the time ran out is kept
   * for those who read the same, so that another try has less to do.
   */
  fill(scope: TemplateScope): Filled {
    if (scope.trigger !== this.#trigger) {
      this.#trigger = scope.trigger
      for (const { values } of this.#known) values?.clear()
    }
    const endsAt = performance.now() + this.#renderMs
    try {
      const values = this.#known.map((template) => textFor(template, scope, endsAt))
      return { kind: 'filled', values }
    } catch (error) {
      return { kind: isOutOfTime(error) ? 'out-of-time' : 'failed' }
    }
  }

  /** Cuts JSON at its marks, each of which is all of a string, or of a string of JSON in a string. */
  cut(text: string): CutText {
    const [first = '', ...rest] = text.split(this.#prefix)
    const parts = [first]
    const holes: CutText['holes'] = []
    for (const piece of rest) {
      const dot = piece.indexOf('.')
      const isInnerJson = parts.at(-1)?.endsWith('\\"') ?? false
      holes.push({ template: Number(piece.slice(0, dot)), isInnerJson })
      parts.push(piece.slice(dot + 1))
    }
    return { parts, holes }
  }
}

/**
 * Names repeat, and plans more: a template is rendered once for all of whom it reads the same. It is given
 * nothing else, so that no text can hold anything of another person.
 */
function textFor(
  { parsed, personKeys, values }: KnownTemplate,
  scope: TemplateScope,
  endsAt: number,
): string {
  const { trigger } = scope
  const customer: Attributes = {}
  for (const key of personKeys) {
    const value = scope.customer && Object.hasOwn(scope.customer, key) ? scope.customer[key] : null
    if (value !== undefined && value !== null) customer[key] = value
  }
  const render = () => {
    const renderLimit = endsAt - performance.now()
    return clean(String(templateEngine.renderSync(parsed, { customer, trigger }, { renderLimit })))
  }
  if (values === null) return render()
  const read = JSON.stringify(customer)
  const known = values.get(read)
  if (known !== undefined) return known
  const text = render()
  if (values.size < valuesMax && read.length <= readLengthMax) values.set(read, text)
  return text
}

const isOutOfTime = (error: unknown) =>
  error instanceof Error && error.message.includes('template render limit exceeded')

/** JSON cut where templates go. */
export interface CutText {
  parts: string[]
  holes: { template: number; isInnerJson: boolean }[]
}

/** Puts values where they go. */
export function joined({ parts, holes }: CutText, values: readonly string[]): string {
  let text = parts[0] ?? ''
  for (const [index, { template, isInnerJson }] of holes.entries()) {
    const once = inQuotes(values[template] ?? '')
    text += (isInnerJson ? inQuotes(once) : once) + (parts[index + 1] ?? '')
  }
  return text
}

/** How many bytes of text the values are where they go, as a phone gets them. */
export function bytesAdded({ holes }: CutText, values: readonly string[]): number {
  return holes.reduce((sum, { template }) => sum + Buffer.byteLength(values[template] ?? ''), 0)
}

/** No provider takes half a character, and none has a use for NUL. */
function clean(value: string): string {
  return value.toWellFormed().replaceAll('\0', '')
}

function inQuotes(value: string): string {
  return JSON.stringify(value).slice(1, -1)
}

/** Applies a function to every template of a message, wherever it stands. */
function mapTexts(
  message: MessageContent,
  change: (text: string, path: string) => string,
): MessageContent {
  const walk = (value: Json, path: string): Json => {
    if (typeof value === 'string') return isTemplate(value) ? change(value, path) : value
    if (Array.isArray(value)) return value.map((item, index) => walk(item, `${path}.${index}`))
    if (typeof value !== 'object' || value === null) return value
    return walkObject(value, path)
  }
  const walkObject = (object: Attributes, path: string): Attributes =>
    Object.fromEntries(
      Object.entries(object).map(([key, value]) => [key, walk(value, `${path}.${key}`)]),
    )
  const { content, apns, fcm } = message
  return {
    ...message,
    ...(content && { content: textsOf(content, change, walkObject) }),
    ...(apns?.payload && { apns: { ...apns, payload: walkObject(apns.payload, 'apns.payload') } }),
    ...(fcm && {
      fcm: Object.fromEntries(
        Object.entries(fcm).map(([part, value = {}]) => [part, walkObject(value, `fcm.${part}`)]),
      ),
    }),
  }
}

const contentTexts = ['title', 'body', 'image_url', 'link'] as const

function textsOf(
  content: NonNullable<MessageContent['content']>,
  change: (text: string, path: string) => string,
  walkObject: (object: Attributes, path: string) => Attributes,
): NonNullable<MessageContent['content']> {
  const changed = { ...content }
  for (const field of contentTexts) {
    const text = content[field]
    if (text !== undefined && isTemplate(text)) changed[field] = change(text, `content.${field}`)
  }
  if (content.data) changed.data = walkObject(content.data, 'content.data')
  return changed
}
