import { expect, test } from 'vitest'
import { generateKey, isKeyText, keyKindOf } from '../src/index.ts'

test.each(['secret', 'public'] as const)('a new %s key has a prefix and a checksum', (kind) => {
  for (let n = 0; n < 200; n += 1) {
    const key = generateKey(kind)
    expect(key).toMatch(/^pushkeep_[ps]k_[0-9A-Za-z]{49}$/)
    expect(isKeyText(key)).toBe(true)
    expect(keyKindOf(key)).toBe(kind)
  }
})

test('each letter counts: one that is wrong, left out or swapped makes it none', () => {
  const key = generateKey('secret')
  for (let place = 0; place < key.length; place += 1) {
    const other = key[place] === 'x' ? 'y' : 'x'
    expect(isKeyText(key.slice(0, place) + other + key.slice(place + 1))).toBe(false)
    expect(isKeyText(key.slice(0, place) + key.slice(place + 1))).toBe(false)
  }
  expect(isKeyText(key.replace('_sk_', '_pk_'))).toBe(false)
  expect(isKeyText(`${key}x`)).toBe(false)
})

test('keys of before go on working', () => {
  expect(keyKindOf(`sk_${'a'.repeat(43)}`)).toBe('secret')
  expect(keyKindOf(`pk_${'A-_9'.repeat(10)}`)).toBe('public')
  expect(keyKindOf('nonsense')).toBeNull()
})
