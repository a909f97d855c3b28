import { describe, expect, test } from 'vitest'
import {
  AudienceInput,
  escapeControls,
  escapeLines,
  KnownPersonId,
  NameInput,
  PersonDeviceInput,
  PersonEventInput,
  PersonId,
  RegisterDeviceInput,
} from '../src/index.ts'

/** One character of each kind that a terminal obeys, first and last of each range. */
const controls = [
  ...[0x01, 0x07, 0x08, 0x09, 0x0a, 0x0d, 0x1b, 0x1f, 0x7f, 0x80, 0x85, 0x9b, 0x9d, 0x9f],
  ...[0x2028, 0x2029, 0x061c, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069],
].map((code) => String.fromCharCode(code))

const named = (character: string) => `U+${character.charCodeAt(0).toString(16).padStart(4, '0')}`

const plain = ['anna', 'user 1/ü@x', '用户', 'ناصر', '👩‍👩‍👧', 'e\u0301', '..', '\u00a0', '\u200d']

describe.each(controls.map((character) => [named(character), character]))('%s', (_, character) => {
  const text = `a${character}b`

  test.each([
    ['a person', () => PersonId.safeParse(text), []],
    ['a name', () => NameInput.safeParse(text), []],
    [
      'the person of a registration',
      () => RegisterDeviceInput.safeParse({ platform: 'ios', person_id: text }),
      ['person_id'],
    ],
    [
      'an installation',
      () => RegisterDeviceInput.safeParse({ platform: 'ios', installation_id: text }),
      ['installation_id'],
    ],
    [
      'an installation with its person',
      () =>
        PersonDeviceInput.safeParse({
          device: { id: 'ab'.repeat(32), platform: 'ios', installation_id: text },
        }),
      ['device', 'installation_id'],
    ],
    ['an event', () => PersonEventInput.safeParse({ name: text }), ['name']],
    ["a call's id", () => PersonEventInput.safeParse({ name: 'x', id: text }), ['id']],
  ])('is refused in the name of %s', (_what, parse, path) => {
    const result = parse()
    expect(result.success).toBe(false)
    expect(result.error?.issues).toMatchObject([
      { path, message: 'must have no control characters' },
    ])
  })

  test('is read in the id of a person who is there', () => {
    expect(KnownPersonId.safeParse(text).success).toBe(true)
    expect(AudienceInput.safeParse({ person_id: text }).success).toBe(true)
    expect(AudienceInput.safeParse({ person_ids: ['x', text] }).success).toBe(true)
  })

  test('is escaped where it is shown, and in JSON stays the same text', () => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0')
    expect(escapeControls(text)).toBe(`a\\u${code}b`)
    expect(JSON.parse(escapeControls(JSON.stringify({ [text]: text })))).toEqual({ [text]: text })
    expect(escapeLines(text)).toBe(character === '\n' ? text : `a\\u${code}b`)
  })
})

test.each(plain)('other text is taken and shown as it is: %s', (text) => {
  expect(PersonId.safeParse(text).success).toBe(text !== '..')
  expect(escapeControls(text)).toBe(text)
  expect(escapeLines(`${text}\n${text}`)).toBe(`${text}\n${text}`)
})

test('NUL is refused everywhere', () => {
  for (const schema of [PersonId, KnownPersonId, NameInput]) {
    expect(schema.safeParse('a\u0000b').success).toBe(false)
  }
})

test('white space around a name or an event is no part of it', () => {
  expect(NameInput.parse(' shop\n')).toBe('shop')
  expect(PersonEventInput.parse({ name: 'seen\r\n' }).name).toBe('seen')
  expect(NameInput.safeParse(' \n').success).toBe(false)
  expect(NameInput.safeParse('x'.repeat(201)).success).toBe(false)
})
