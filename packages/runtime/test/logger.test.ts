import { expect, test } from 'vitest'
import { createLogger, describeError, scrub } from '../src/index.ts'

const apns = 'ab12'.repeat(16)
const fcm = `dGhpcyBpcyBh:APA91b${'x'.repeat(120)}`

function capture() {
  const lines: string[] = []
  const stream = { write: (line: string) => lines.push(line) }
  return { lines, logger: createLogger({ name: 'test', level: 'info', stream }) }
}

test('tokens, keys and attributes are not written', () => {
  const { lines, logger } = capture()
  logger.info({ token: apns, device: { token: fcm, attributes: { mail: 'a@b' } } }, 'one')
  logger.info({ req: { headers: [{ authorization: 'Bearer sk_1' }] } }, 'two')
  logger.info({ a: { b: { c: { d: { e: { f: { token: apns } } } } } } }, 'three')
  logger.error({ err: new Error(`bad token ${apns}`) }, 'four')
  logger.error({ err: new Error('outer', { cause: new Error(`inner ${fcm}`) }) }, 'five')
  logger.error(new Error(`bad token ${apns}`), 'six')
  expect(lines).toHaveLength(6)
  expect(lines.join('')).not.toMatch(/ab12ab12|APA91b|a@b|sk_1/)
})

test('everything else is', () => {
  const { lines, logger } = capture()
  logger.warn({ count: 1, list: ['a', { b: null }], at: undefined }, 'said')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'warn',
    name: 'test',
    count: 1,
    list: ['a', { b: null }],
    msg: 'said',
  })
})

test('text is scrubbed of what looks like a token or a key', () => {
  expect(scrub(`a ${apns} b ${fcm} c sk_${'a'.repeat(43)} d`)).toBe(
    'a [secret] b [secret] c [secret] d',
  )
})

test('text is scrubbed of addresses and of what opens a database', () => {
  expect(scrub('no mailbox ana.b+x@mail.example.com here')).toBe('no mailbox [secret] here')
  expect(scrub('postgres://user:pass word@db.example.com:5432/x')).not.toContain('word')
  expect(scrub('redis://:hush@10.0.0.1:6379')).not.toContain('hush')
  const kept = 'at file:///app/node_modules/@pushkeep/store/src/index.ts:1:1'
  expect(scrub(kept)).toBe(kept)
})

test('a data exception of PostgreSQL does not repeat the data', () => {
  const error = Object.assign(new Error('invalid input syntax for type integer: "alice"'), {
    code: '22P02',
    detail: 'Key (id)=(alice) already exists',
  })
  expect(JSON.stringify(describeError(error))).not.toContain('alice')
})

test('a line holds no character that a terminal obeys, and reads back as it was said', () => {
  const { lines, logger } = capture()
  const said = 'x\r\n\u001b]0;pwned\u0007\u009b2J\u202ey\u2028z\u007f'
  logger.info({ name: said }, said)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+\n$/u)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: said })
})
