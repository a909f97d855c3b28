import type { Json, MessageContent } from '@pushkeep/domain'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  inspectTemplates,
  joined,
  markTemplates,
  type TemplateScope,
  Templates,
} from '../src/templates.ts'

/** Time for a rendering, in ms, so that a busy machine changes nothing. */
const patience = 60_000

const ana: TemplateScope = {
  customer: { id: 'ana', first_name: 'Ana', plan: { name: 'pro' }, score: 7 },
  trigger: { order: 42 },
}

function valuesOf(templates: Templates, scope: TemplateScope): string[] | null {
  const made = templates.fill(scope)
  return made.kind === 'filled' ? made.values : null
}

/** What a text becomes for a person; null: its template fails. */
function filled(text: string, scope: TemplateScope = ana): string | null {
  const templates = new Templates(patience)
  templates.mark(text)
  return valuesOf(templates, scope)?.[0] ?? null
}

test.each([
  ['Hello {{ customer.first_name }}', 'Hello Ana'],
  ['{{customer.plan.name}} {{ customer.score }} {{trigger.order}}', 'pro 7 42'],
  ['Hello {{ customer.last_name | default: "there" }}', 'Hello there'],
  ['{% if customer.plan.name == "pro" %}Thanks{% else %}Upgrade{% endif %}', 'Thanks'],
  ['{{ customer.first_name | upcase }}', 'ANA'],
  ['{{ customer.nothing.at.all }}', ''],
  ['{{ customer.constructor }}{{ customer.__proto__ }}', ''],
])('%s becomes %s', (text, expected) => {
  expect(filled(text)).toBe(expected)
})

test('each person gets what their own attributes make of it, whoever came before', () => {
  const templates = new Templates(patience)
  templates.mark('{{ customer.name }} {% if customer.plan == "pro" %}+{% else %}-{% endif %}')
  templates.mark('{{ customer.plan }}{{ customer.constructor }}')
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          name: fc.option(fc.constantFrom<Json[]>('Ana', 'Bo', '1', 1, ['Ana'], { a: 'Ana' })),
          plan: fc.option(fc.constantFrom('pro', 'free'), { nil: undefined }),
          other: fc.integer(),
        }),
      ),
      (people) => {
        for (const customer of people) {
          const scope = { customer: JSON.parse(JSON.stringify(customer)), trigger: {} }
          const alone = new Templates(patience)
          alone.mark('{{ customer.name }} {% if customer.plan == "pro" %}+{% else %}-{% endif %}')
          alone.mark('{{ customer.plan }}{{ customer.constructor }}')
          expect(templates.fill(scope)).toEqual(alone.fill(scope))
        }
      },
    ),
  )
})

test('what comes with another message is not taken for this one', () => {
  const templates = new Templates(patience)
  templates.mark('{{ trigger.order }}')
  const values = [1, 2, 1].map((order) =>
    valuesOf(templates, { customer: null, trigger: { order } }),
  )
  expect(values).toEqual([['1'], ['2'], ['1']])
})

test('what is picked at random is picked for each person', () => {
  const templates = new Templates(patience)
  templates.mark('{{ trigger.list | sample }}')
  const list = Array.from({ length: 1000 }, (_, n) => n)
  const picked = list.map(() => valuesOf(templates, { customer: null, trigger: { list } })?.[0])
  expect(new Set(picked).size).toBeGreaterThan(1)
})

test('where nobody is known the attributes are empty', () => {
  expect(
    filled('Hello {{ customer.first_name | default: "you" }}', { customer: null, trigger: {} }),
  ).toBe('Hello you')
})

test('it says which attributes a message reads, wherever its templates stand', () => {
  const content: MessageContent = {
    content: {
      title: 'Hi {{ customer.first_name }}',
      body: 'plain',
      link: 'app://o/{{ trigger.order }}',
      data: { a: { b: ['{{ customer.plan.name }}'] } },
    },
    apns: { payload: { aps: { 'thread-id': '{{ customer.team }}' } } },
    fcm: { android: { notification: { tag: '{% if customer.vip %}a{% endif %}' } } },
  }
  expect(inspectTemplates(content)).toEqual({
    flaws: [],
    personKeys: ['first_name', 'plan', 'team', 'vip'],
  })
})

test.each([
  ['{{ customer.first_name', 'is not a template'],
  ['{% if customer.a %}', 'is not a template'],
  ['{{ customer.a | shout }}', 'is not a template'],
  ['{% include "package.json" %}', 'is not a template'],
  ['{% render "package.json" %}', 'is not a template'],
  ['{% layout "package.json" %}', 'is not a template'],
  ['{% for i in (1..3000000) %}x{% endfor %}', 'may not make a list of numbers'],
  ['{% for i in customer.list %}x{% endfor %}', 'is not a template'],
  ['{% assign x = (1..100000000) | join: "," %}{{ x }}', 'may not make a list of numbers'],
  ['{{ customer.list | where_exp: "x", "x contains customer.a" }}', 'is not a template'],
  ['{{ customer.list | reject_exp: "x", "x contains customer.a" }}', 'is not a template'],
  ['{{ customer.list | group_by_exp: "x", "x.a" }}', 'is not a template'],
  ['{{ customer.list | find_exp: "x", "x.a" }}', 'is not a template'],
  ['{% liquid\nassign x = 1\necho x %}', 'is not a template'],
  [
    `${'{% if customer.a %}'.repeat(51)}x${'{% endif %}'.repeat(51)}`,
    'must not nest deeper than 50',
  ],
  [`${'{% unless customer.a %}'.repeat(1700)}x`, 'longer than'],
  [`${'{%- case customer.a -%}'.repeat(60)}x`, 'must not nest deeper than 50'],
  [`{{ customer${'[customer'.repeat(60)}${']'.repeat(60)} }}`, 'must not nest deeper than 50'],
  ['{{ customer.a }}'.repeat(401), 'more than 400 tags and filters'],
  [`{{ customer.a${' | upcase'.repeat(400)} }}`, 'more than 400 tags and filters'],
  [`{{ customer.a | default: ${'customer.a, '.repeat(400)}1 }}`, 'more than 400 tags and filters'],
  [`{% if ${'customer.a or '.repeat(700)}customer.b %}x{% endif %}`, 'longer than 8192 characters'],
  ['{{'.repeat(16_000), 'longer than 8192 characters'],
  ['{{ person.first_name }}', 'may read customer and trigger, not person'],
  ['{{ customer }}', 'must name the attribute'],
  ['{{ customer[trigger.key] }}', 'must name the attribute'],
])('%s is refused: %s', (title, message) => {
  const { flaws } = inspectTemplates({ content: { title } })
  expect(flaws).toEqual([{ path: 'content.title', message: expect.stringContaining(message) }])
})

test('a template that doubles a text over and over ends with an error, not with the memory', () => {
  const double = '{% assign a = a | append: a %}'
  expect(filled(`{% assign a = "xxxxxxxx" %}${double.repeat(60)}{{ a }}`)).toBeNull()
})

test('values are put into JSON, and into JSON in a string, without becoming a part of it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const { content, templates } = markTemplates({
        content: { title: 'Hi {{ customer.name }}', data: { deep: { a: '{{ customer.name }}' } } },
      })
      const { title, data } = content.content ?? {}
      const text = JSON.stringify({ alert: title, data: JSON.stringify(data?.deep), rest: [1] })
      const values = valuesOf(templates, { customer: { name }, trigger: {} }) ?? []
      const known = name.toWellFormed().replaceAll('\0', '')
      expect(JSON.parse(joined(templates.cut(text), values))).toEqual({
        alert: `Hi ${known}`,
        data: JSON.stringify({ a: known }),
        rest: [1],
      })
    }),
  )
})

test('a message without templates is left as it is', () => {
  const message: MessageContent = { content: { title: 'A { b }', data: { a: 1 } } }
  expect(inspectTemplates(message)).toEqual({ flaws: [], personKeys: null })
  expect(markTemplates(message).content).toEqual(message)
})

test('templates that take too long say so, and are no failure of theirs', () => {
  const late = new Templates(-1)
  late.mark('Hello {{ customer.first_name }}')
  expect(late.fill(ana)).toEqual({ kind: 'out-of-time' })
  const wrong = new Templates(patience)
  wrong.mark(`{{ "${'x'.repeat(6000)}" | upcase }}`)
  expect(wrong.fill(ana)).toEqual({ kind: 'failed' })
})

test('the time is that of all templates of a push together', () => {
  const templates = new Templates(5)
  const list = Array.from({ length: 200 }, (_, n) => `item ${n}`)
  for (let n = 0; n < 3000; n += 1) templates.mark('{{ trigger.list | sort | sample }}')
  expect(templates.fill({ customer: null, trigger: { list } })).toEqual({ kind: 'out-of-time' })
})
