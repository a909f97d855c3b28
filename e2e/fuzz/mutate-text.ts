import type { Random } from '../random.ts'
import { type Expected, either, refused } from './case.ts'
import type { Operation } from './documents.ts'
import { freeValue } from './free-json.ts'
import { textOf } from './json-tree.ts'
import { violation } from './schema-check.ts'

/** A body that is no tree any more. */
export interface TextMutation {
  what: string
  body: Buffer
  expected: Expected
}

const malformed = refused(undefined, [400])

/** Breaks the text of a valid body. */
export function mutateText(body: string, random: Random): TextMutation {
  const cut = random.int(1, Math.max(1, body.length - 1))
  const inner = body.slice(0, -1)
  const comma = body === '{}' ? '' : ','
  const texts: [what: string, text: string | Buffer][] = [
    ['cut short', body.slice(0, cut)],
    ['twice', body + body],
    ['a comma too many', `${inner},}`],
    ['a comment', `/* */${body}`],
    ['keys without quotes', `${inner}${comma}extra:1}`],
    ['single quotes', `${inner}${comma}'extra':1}`],
    ['NaN', `${inner}${comma}"extra":NaN}`],
    ['Infinity', `${inner}${comma}"extra":Infinity}`],
    ['a number with a leading zero', `${inner}${comma}"extra":01}`],
    ['a hexadecimal number', `${inner}${comma}"extra":0x10}`],
    ['a line break in text', `${inner}${comma}"extra":"a\nb"}`],
    ['a tab in text', `${inner}${comma}"extra":"a\tb"}`],
    ['a bad escape', `${inner}${comma}"extra":"\\x41"}`],
    ['half an escape', `${inner}${comma}"extra":"\\u00"}`],
    ['text that does not end', `${inner}${comma}"extra":"a}`],
    ['a list that does not end', '['.repeat(random.int(1, 50_000))],
    ['an object that does not end', '{"a":'.repeat(random.int(1, 20_000))],
    ['NUL at the end', `${body}\0`],
    ['undefined', 'undefined'],
    [
      'XML',
      '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>',
    ],
    ['a form', 'platform=ios&token=x'],
    ['white space', ' \n\t '],
    [
      'invalid UTF-8',
      Buffer.concat([
        Buffer.from(`${inner}${comma}"extra":"`),
        Buffer.from([0xff, 0xfe, 0x22, 0x7d]),
      ]),
    ],
    [
      'an overlong NUL',
      Buffer.concat([
        Buffer.from(`${inner}${comma}"extra":"`),
        Buffer.from([0xc0, 0x80, 0x22, 0x7d]),
      ]),
    ],
    [
      'a surrogate as UTF-8',
      Buffer.concat([
        Buffer.from(`${inner}${comma}"extra":"`),
        Buffer.from([0xed, 0xa0, 0x80, 0x22, 0x7d]),
      ]),
    ],
    ['UTF-16', Buffer.from(`\ufeff${body}`, 'utf16le')],
    ['UTF-16 without its mark', Buffer.from(body, 'utf16le')],
  ]
  const [what, text] = random.pick(texts)
  return { what, body: Buffer.from(text), expected: malformed }
}

/** Random bytes, or random JSON: refused where it is bad for certain. */
export function randomBody(operation: Operation, random: Random): TextMutation {
  const isBytes = random.chance(0.4)
  const body = isBytes
    ? random.bytes(random.int(1, 300))
    : Buffer.from(textOf(freeValue(random, random.int(0, 3))))
  const what = isBytes ? 'random bytes' : 'random JSON'
  return { what, body, expected: expectedOf(operation, body) }
}

function expectedOf(operation: Operation, body: Buffer): Expected {
  let value: unknown
  try {
    // A byte order mark is let pass, as RFC 8259 allows.
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    return malformed
  }
  if (value === null && !operation.body?.isRequired) return either
  const isBad = operation.body && violation(operation.body.schema, value, operation.resolve)
  return isBad ? refused() : either
}

/** More than a service takes in one body. */
export function hugeBody(operation: Operation): TextMutation {
  const limit = operation.service === 'sender' ? 4 * 1024 * 1024 : 256 * 1024
  const body = Buffer.alloc(limit + 1, 0x20)
  const expected: Expected = { kind: 'refused', statuses: [413], mayClose: true }
  return { what: 'more bytes than a body may have', body, expected }
}
