import { gzipSync } from 'node:zlib'
import type { Random } from '../random.ts'
import { type Case, type Draft, draftOf, type Expected, refused } from './case.ts'
import type { Known } from './known.ts'
import type { Model } from './valid.ts'

type Change = Pick<Case, 'what' | 'expected'> & { draft: Draft }

/** Changes the headers of a valid request. */
export function mutateHeaders(model: Model, known: Known, random: Random): Change | null {
  const { operation, body } = model
  const choices = [
    ...(operation.isOpen ? [] : [authorization, authorization, authorization]),
    ...(body ? [contentType, contentEncoding] : []),
    ...(operation.parameters.some(({ name }) => name === 'idempotency-key')
      ? [idempotencyKey]
      : []),
    tooLarge,
  ]
  return random.pick(choices)(model, known, random)
}

function withHeader(model: Model, name: string, ...values: string[]): Draft {
  const draft = draftOf(model)
  const others = draft.headers.filter(([key]) => key.toLowerCase() !== name)
  const own = values.map((value): [string, string] => [name, value])
  return { ...draft, headers: [...others, ...own] }
}

/** No key, one that does not exist, or one that must not. */
function authorization(model: Model, known: Known, random: Random): Change {
  const { secretKey, publicKey } = known
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
  const unknownKey = `sk_${random.word(secretKey.length - 3)}`
  const bad: [what: string, values: string[]][] = [
    ['no authorization', []],
    ['an empty authorization', ['']],
    ['a scheme without a key', ['Bearer']],
    ['a key without a scheme', [secretKey]],
    ['another scheme', [`Digest ${secretKey}`]],
    ['an unknown key', [`Bearer ${unknownKey}`]],
    ['an unknown key of an app', [`Bearer pk_${random.word(secretKey.length - 3)}`]],
    ['a key that is cut short', [`Bearer ${secretKey.slice(0, -1)}`]],
    ['a key with more behind it', [`Bearer ${secretKey}x`]],
    ['a key in other letters', [`Bearer ${secretKey.toUpperCase()}`]],
    ['two keys in one', [`Bearer ${secretKey},${publicKey}`]],
    ['a key of 10,000 letters', [`Bearer sk_${'x'.repeat(10_000)}`]],
    ['bytes beyond ASCII', [`Bearer ${secretKey.slice(0, -2)}\u00ff\u00fe`]],
    ['Basic without a colon', [basic('admin')]],
    ['Basic with an unknown key', [basic(`${unknownKey}:`)]],
    ['Basic that is no Base64', ['Basic %%%']],
    ['SQL', [`Bearer ' or 1=1 --`]],
  ]
  const isForSecretKeys = Object.hasOwn(model.operation.responses, '403')
  if (isForSecretKeys && random.chance(0.2)) {
    const draft = withHeader(model, 'authorization', `Bearer ${publicKey}`)
    return { what: 'the public key', draft, expected: refused(undefined, [403]) }
  }
  const [what, values] = random.pick(bad)
  const draft = withHeader(model, 'authorization', ...values)
  return { what, draft, expected: refused(undefined, [401]) }
}

const badTypes: [what: string, values: string[]][] = [
  ['no content type', []],
  ['an empty content type', ['']],
  ['plain text', ['text/plain']],
  ['a form', ['application/x-www-form-urlencoded']],
  ['a form in parts', ['multipart/form-data; boundary=x']],
  ['XML', ['application/xml']],
  ['JSON by another name', ['application/vnd.api+json']],
  ['JSON lines', ['application/x-ndjson']],
  ['half a content type', ['application']],
  ['JSON with more behind it', ['application/jsonx']],
  ['a content type of 5,000 letters', [`application/${'x'.repeat(5000)}`]],
  ['a wildcard', ['*/*']],
]

function contentType(model: Model, _known: Known, random: Random): Change {
  const [what, values] = random.pick(badTypes)
  const draft = withHeader(model, 'content-type', ...values)
  return { what, draft, expected: refused(undefined, [400, 415]) }
}

const bomb = gzipSync(Buffer.alloc(10_000_000, 0x20))

function contentEncoding(model: Model, _known: Known, random: Random): Change {
  const draft = draftOf(model)
  const plain = draft.body ?? Buffer.alloc(0)
  const encodings: [what: string, value: string, body: Buffer][] = [
    ['a body said to be compressed', 'gzip', plain],
    ['a compressed body', 'gzip', gzipSync(plain)],
    ['a body that swells a thousandfold', 'gzip', bomb],
    ['Brotli', 'br', plain],
    ['two encodings', 'gzip, identity', plain],
    ['an unknown encoding', 'x-nothing', plain],
    ['an encoding in capitals', 'GZIP', gzipSync(plain)],
  ]
  const [what, value, body] = random.pick(encodings)
  const coded = withHeader(model, 'content-encoding', value)
  return { what, draft: { ...coded, body }, expected: refused(undefined, [415]) }
}

function idempotencyKey(model: Model, _known: Known, random: Random): Change {
  const at: Expected = refused('Idempotency-Key', [400])
  const bad: [what: string, values: string[]][] = [
    ['an empty idempotency key', ['']],
    ['an idempotency key of 256 letters', ['x'.repeat(256)]],
    ['an idempotency key of 8,000 letters', ['x'.repeat(8000)]],
    ['an idempotency key with a space', ['a b']],
    ['an idempotency key with a tab', ['a\tb']],
    ['an idempotency key beyond ASCII', ['cl\u00e9']],
    ['two idempotency keys', ['a', 'b']],
  ]
  const [what, values] = random.pick(bad)
  return { what, draft: withHeader(model, 'idempotency-key', ...values), expected: at }
}

function tooLarge(model: Model, _known: Known, random: Random): Change {
  const draft = draftOf(model)
  const isOne = random.chance(0.5)
  const extra = isOne
    ? [['x-large', 'x'.repeat(30_000)] as [string, string]]
    : Array.from({ length: 1500 }, (_, index): [string, string] => [`x-${index}`, 'xxxxxxxxxxxxx'])
  return {
    what: isOne ? 'a header of 30,000 letters' : '1,500 headers',
    draft: { ...draft, headers: [...draft.headers, ...extra] },
    expected: refused(undefined, [431]),
  }
}
