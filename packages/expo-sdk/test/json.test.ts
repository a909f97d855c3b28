import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toJsonObject, utf8Length } from '../src/core/json.ts'

test.each<[string, unknown, object]>([
  ['nothing', undefined, {}],
  ['null', null, {}],
  ['null and empty text, which remove', { a: null, b: '' }, { a: null, b: '' }],
  ['undefined, functions, symbols', { a: undefined, b: () => 1, c: Symbol('c') }, {}],
  ['NaN and Infinity, which would become null and remove', { a: Number.NaN, b: 1 / 0 }, {}],
  ['the same in a list', { a: [undefined, Number.NaN, 1] }, { a: [null, null, 1] }],
  ['a date', { a: new Date(0) }, { a: '1970-01-01T00:00:00.000Z' }],
  ['a Map', new Map([['a', new Map([['b', 1]])]]), { a: { b: 1 } }],
  ['nested JSON', { a: { b: [{ c: true }] } }, { a: { b: [{ c: true }] } }],
])('%s', (_name, value, json) => {
  expect(toJsonObject(value, 'attributes')).toEqual(json)
})

test.each<[string, unknown, string]>([
  ['text', 'x', 'attributes must be an object'],
  ['a list', [1], 'attributes must be an object'],
  ['a bigint', { a: { b: 1n } }, 'attributes.a.b is a bigint'],
  ['a prototype', JSON.parse('{"a":{"__proto__":1}}'), 'attributes.a.__proto__ is not allowed'],
  ['a constructor', { constructor: 1 }, 'attributes.constructor is not allowed'],
])('%s is refused by name', (_name, value, message) => {
  expect(() => toJsonObject(value, 'attributes')).toThrow(message)
})

test('the size is that of UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(utf8Length(text)).toBe(Buffer.byteLength(text))
    }),
  )
})

test('what JSON can hold comes through as it is', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (value) => {
      fc.pre(!/__proto__|constructor|prototype/.test(JSON.stringify(value)))
      expect(JSON.stringify(toJsonObject(value, 'x'))).toBe(JSON.stringify(value))
    }),
  )
})
