import { expect, test } from 'vitest'
import { mayActAs, type Role } from '../src/index.ts'

test.each<[Role, Role, boolean]>([
  ['read', 'read', true],
  ['read', 'operate', false],
  ['read', 'admin', false],
  ['operate', 'read', true],
  ['operate', 'operate', true],
  ['operate', 'admin', false],
  ['admin', 'read', true],
  ['admin', 'operate', true],
  ['admin', 'admin', true],
])('%s may act as %s: %s', (held, needed, expected) => {
  expect(mayActAs(held, needed)).toBe(expected)
})
