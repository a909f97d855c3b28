import { expect, test } from 'vitest'
import {
  deliveryIdOf,
  isDeliveryId,
  messageIdOf,
  provenBy,
  ReceiptInput,
  receiptEvents,
} from '../src/index.ts'

const uuid = '019a8b3c-4d5e-7f60-8a1b-2c3d4e5f6071'

test.each([
  ['delivered', ['delivered']],
  ['opened', ['delivered', 'opened']],
  ['clicked', ['delivered', 'opened', 'clicked']],
  ['converted', ['delivered', 'converted']],
] as const)('%s proves %j', (event, proven) => {
  expect(provenBy(event)).toEqual(proven)
})

test('every event proves itself and that the push was delivered', () => {
  for (const event of receiptEvents) {
    expect(provenBy(event)).toContain(event)
    expect(provenBy(event)).toContain('delivered')
  }
})

test('a delivery id is the message id in 22 characters, and leads back to it', () => {
  const id = deliveryIdOf(uuid)
  expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/)
  expect(isDeliveryId(id)).toBe(true)
  expect(messageIdOf(id)).toBe(uuid)
  expect(messageIdOf(uuid)).toBe(uuid)
  expect(messageIdOf(uuid.toUpperCase())).toBe(uuid)
})

test.each([
  '',
  'x',
  uuid.slice(1),
  `${uuid}0`,
  'x'.repeat(21),
  'x'.repeat(23),
  // 22 characters hold 132 bits: the last four have to be zero.
  `${'A'.repeat(21)}B`,
  `${'A'.repeat(21)}=`,
  `${'A'.repeat(21)}+`,
])('%j is no id of a message', (text) => {
  expect(messageIdOf(text)).toBeNull()
  expect(isDeliveryId(text)).toBe(false)
})

test('a receipt takes both forms of the id, and times of both kinds', () => {
  const receipt = { message_id: deliveryIdOf(uuid), token: 'ab'.repeat(32), event: 'opened' }
  expect(ReceiptInput.parse(receipt)).toEqual({ ...receipt, message_id: uuid })
  const timed = { ...receipt, message_id: uuid, timestamp: 1_763_900_000 }
  expect(ReceiptInput.parse(timed)).toMatchObject({ timestamp: 1_763_900_000_000 })
  const iso = { ...timed, timestamp: '2025-11-23T12:13:20Z' }
  expect(ReceiptInput.parse(iso)).toMatchObject({ timestamp: 1_763_900_000_000 })
})

test.each([
  [{ message_id: 'x' }, 'message_id'],
  [{ event: 'bounced' }, 'event'],
  [{ token: '' }, 'token'],
  [{ timestamp: 'yesterday' }, 'timestamp'],
  [{ extra: 1 }, ''],
])('a bad receipt names the field: %j', (change, path) => {
  const receipt = { message_id: uuid, token: 'ab'.repeat(32), event: 'opened', ...change }
  const { error } = ReceiptInput.safeParse(receipt)
  expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path])
})
