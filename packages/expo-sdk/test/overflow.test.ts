import { expect, test } from 'vitest'
import { backoffMs, retryAfterMs } from '../src/core/backoff.ts'
import type { Item } from '../src/core/items.ts'
import { overflowOf } from '../src/core/overflow.ts'

/** `e1`: an event; `i1`: an identification; `dA1`: about the device A. */
function item(name: string): Item {
  const common = { messageId: name, timestamp: '2026-01-01T00:00:00.000Z', userId: 'ana' }
  if (name.startsWith('e')) return { ...common, type: 'track', event: name, properties: {} }
  if (name.startsWith('i')) return { ...common, type: 'identify', traits: {} }
  const device = { type: 'ios' as const, token: name.charAt(1) }
  const context = { device: { ...device, installationId: '', installationSecret: '' } }
  return { ...common, type: 'track', event: 'Device Created or Updated', properties: {}, context }
}

type Rules = Record<'isHeld' | 'isBeingSent', (item: Item) => boolean>

const nobody: Rules = { isHeld: () => false, isBeingSent: () => false }

function dropped(names: string[], items: number, rules: Partial<Rules> = {}): string[] {
  const queue = names.map((name) => ({ item: item(name), size: 10 }))
  const limits = { items, bytes: 1000 }
  return overflowOf(queue, limits, { ...nobody, ...rules }).map(({ messageId }) => messageId)
}

test.each<[string, string[], number, string[]]>([
  ['nothing, where there is room', ['e1', 'e2'], 2, []],
  ['the oldest event', ['i1', 'e1', 'e2', 'e3'], 3, ['e1']],
  ['as many as it takes', ['e1', 'i1', 'e2', 'e3'], 2, ['e1', 'e2']],
  ['no person while there are events', ['i1', 'i2', 'e1', 'i3'], 3, ['e1']],
  ['then what later calls about a device made pointless', ['dA1', 'i1', 'dA2'], 2, ['dA1']],
  ['of each device all but the last', ['dA1', 'dB1', 'dB2', 'i1'], 3, ['dB1']],
  ['then whatever is oldest', ['i1', 'dA1', 'i2'], 2, ['i1']],
  ['never the newest', ['i1', 'e9'], 1, ['i1']],
])('%s goes', (_name, names, items, expected) => {
  expect(dropped(names, items)).toEqual(expected)
})

test('calls that wait for a login go first; what is being sent stays', () => {
  const isHeld = ({ messageId }: Item) => messageId === 'i1'
  expect(dropped(['e1', 'i1', 'e2'], 2, { isHeld })).toEqual(['i1'])
  const isBeingSent = ({ messageId }: Item) => messageId === 'e1'
  expect(dropped(['e1', 'e2', 'e3'], 2, { isBeingSent })).toEqual(['e2'])
})

test('bytes count, too', () => {
  const queue = ['e1', 'e2', 'e3'].map((name) => ({ item: item(name), size: 400 }))
  const gone = overflowOf(queue, { items: 100, bytes: 1000 }, nobody)
  expect(gone.map(({ messageId }) => messageId)).toEqual(['e1'])
})

test.each<[number, number, number]>([
  [1, 0, 500],
  [1, 1, 1000],
  [4, 0, 4000],
  [9, 1, 256_000],
  [10, 1, 300_000],
  [1000, 0, 150_000],
])('after %d failures and a dice of %d it waits %d ms', (failures, dice, ms) => {
  expect(backoffMs(failures, () => dice)).toBe(ms)
})

const now = Date.UTC(2026, 0, 1)

test.each<[string | null, number | null]>([
  [null, null],
  ['0', 0],
  [' 120 ', 120_000],
  ['99999999', 3_600_000],
  ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
  ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
  ['soon', null],
])('Retry-After %j is %j ms', (header, ms) => {
  expect(retryAfterMs(header, now)).toBe(ms)
})
