import { expect, test } from 'vitest'
import { personalApns, personalFcm } from '../src/personal.ts'
import { bodyFor } from '../src/spliced.ts'
import { message, noon } from './messages.ts'

/** Time for a rendering, in ms, so that a busy machine changes nothing. */
const patience = 60_000

const ana = { customer: { name: 'Ana "A"', plan: 'pro' }, trigger: { order: 7 } }
const nobody = { customer: null, trigger: {} }
const greeting = {
  content: {
    title: 'Hi {{ customer.name | default: "you" }}',
    body: 'Order {{ trigger.order }}',
    data: { plan: '{{ customer.plan }}', deep: { order: '{{ trigger.order }}' } },
  },
}

test('an APNs payload is that of the one person, and the next one has nothing of it', () => {
  const personalise = personalApns(
    message({ ...greeting, sdkKeys: true }),
    'com.example.shop',
    patience,
  )
  const payloadOf = (scope: typeof ana | typeof nobody) => {
    const personal = personalise(scope, 64)
    if (personal.kind !== 'push') throw new Error(personal.kind)
    return JSON.parse(bodyFor(personal.push.payload, 'ab'.repeat(32)).toString())
  }
  expect(payloadOf(ana)).toMatchObject({
    aps: { alert: { title: 'Hi Ana "A"', body: 'Order 7' } },
    plan: 'pro',
    deep: { order: '7' },
    'CIO-Delivery-Token': 'ab'.repeat(32),
  })
  expect(payloadOf(nobody)).toMatchObject({
    aps: { alert: { title: 'Hi you', body: 'Order ' } },
    plan: '',
  })
})

test('an FCM body is that of the one person; nested data is text of JSON', () => {
  const personal = personalFcm(message(greeting), noon, patience)(ana, 100)
  if (personal.kind !== 'push') throw new Error(personal.kind)
  expect(JSON.parse(bodyFor(personal.push.body, 'token-1').toString())).toMatchObject({
    message: {
      token: 'token-1',
      notification: { title: 'Hi Ana "A"', body: 'Order 7' },
      data: { plan: 'pro', deep: '{"order":"7"}' },
    },
  })
})

test.each([
  ['APNs', personalApns(message(greeting), 'com.example.shop', patience)],
  ['FCM', personalFcm(message(greeting), noon, patience)],
])(
  '%s: what one person’s values make too large is refused, and no one else’s',
  (_, personalise) => {
    const long = { ...ana, customer: { name: 'x'.repeat(4096) } }
    expect(personalise(long, 64)).toEqual({ kind: 'refused', reason: 'payload_too_large' })
    expect(personalise(ana, 64)).toMatchObject({ kind: 'push' })
  },
)

test('a payload of just what a provider takes is sent', () => {
  const of = (length: number) => ({ ...ana, customer: { name: 'x'.repeat(length) } })
  const apns = personalApns(message(greeting), 'com.example.shop', patience)
  const small = apns(of(1), 64)
  if (small.kind !== 'push') throw new Error(small.kind)
  const room = 4096 - bodyFor(small.push.payload, '').length
  expect(apns(of(1 + room), 64)).toMatchObject({ kind: 'push' })
  expect(apns(of(2 + room), 64)).toMatchObject({ kind: 'refused' })
})

test('a template that fails for somebody refuses their push alone', () => {
  const text = '{{ customer.name | append: customer.deep.more | times: 2 }}'
  const apns = personalApns(message({ content: { title: text } }), 'com.example.shop', patience)
  const looping = personalApns(
    message({
      content: { title: `{% assign a = "x" %}${'{% assign a = a | append: a %}'.repeat(40)}` },
    }),
    'com.example.shop',
    patience,
  )
  expect(apns(ana, 64)).toMatchObject({ kind: 'push' })
  expect(looping(ana, 64)).toEqual({ kind: 'refused', reason: 'template_failed' })
})
