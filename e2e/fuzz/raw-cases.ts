import type { Random } from '../random.ts'

/** A valid request that stores something, in parts, to be spoiled. */
export interface RawBase {
  method: string
  target: string
  host: string
  authorization: string
  body: string
}

/** What is sent over one connection, and what may come back. */
export interface RawCase {
  what: string
  pieces: Buffer[]
  /** Every answer has one of these statuses, if there is any. */
  statuses: number[]
  /** So many answers have to come. */
  answersMin: number
  /** Refusals need no problem for a body. */
  isBare: boolean
  /** We end our side, so that the server has to end its own. */
  halfClose: boolean
}

const bad = [400, 401, 404, 408, 411, 413, 414, 415, 417, 422, 431, 501, 505]

/** Everything that HTTP/1.1 does not allow, or that few ever send. */
export function rawCase(base: RawBase, random: Random): RawCase {
  const cases = random.pick([lengths, chunks, heads, lines, pipelines, halves, noise])(base, random)
  const [what, text, more = {}] = random.pick(cases)
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
  return {
    what,
    pieces: random.chance(0.3) ? inPieces(bytes, random) : [bytes],
    statuses: bad,
    answersMin: 1,
    isBare: false,
    halfClose: false,
    ...more,
  }
}

type Entry = [what: string, text: string | Buffer, more?: Partial<RawCase>]

function inPieces(bytes: Buffer, random: Random): Buffer[] {
  const cut = random.int(0, Math.min(bytes.length, 2000))
  return [bytes.subarray(0, cut), bytes.subarray(cut)].filter((piece) => piece.length > 0)
}

function head({ method, target, host, authorization }: RawBase, ...headers: string[]): string {
  const own = [`host: ${host}`, `authorization: ${authorization}`, ...headers]
  return `${method} ${target} HTTP/1.1\r\n${own.map((line) => `${line}\r\n`).join('')}\r\n`
}

const json = 'content-type: application/json'
const get = (host: string, headers = '') =>
  `GET /health/live HTTP/1.1\r\nhost: ${host}\r\n${headers}\r\n`

function lengths(base: RawBase): Entry[] {
  const { body } = base
  const length = Buffer.byteLength(body)
  const with_ = (...headers: string[]) => head(base, json, ...headers) + body
  return [
    ['a body without its length', with_()],
    ['length and chunks at once', with_(`content-length: ${length}`, 'transfer-encoding: chunked')],
    ['two lengths', with_(`content-length: ${length}`, `content-length: ${length + 1}`)],
    ['a list of lengths', with_(`content-length: ${length}, ${length}`)],
    ['a negative length', with_('content-length: -1')],
    ['a length with a sign', with_(`content-length: +${length}`)],
    ['a length in words', with_('content-length: many')],
    ['a length past every number', with_('content-length: 99999999999999999999')],
    ['a length that is too short', with_(`content-length: ${length - 1}`)],
    [
      'a length that is too long',
      with_(`content-length: ${length + 50}`),
      { halfClose: true, answersMin: 0 },
    ],
    ['a length of gigabytes', with_('content-length: 9999999999')],
  ]
}

function chunks(base: RawBase): Entry[] {
  const { body, host } = base
  const size = Buffer.byteLength(body).toString(16)
  const start = head(base, json, 'transfer-encoding: chunked')
  return [
    ['a chunk without a size', `${start}zz\r\n${body}\r\n0\r\n\r\n`],
    ['a chunk of negative size', `${start}-1\r\n${body}\r\n0\r\n\r\n`],
    ['a chunk of endless size', `${start}ffffffffffffffffff\r\n${body}\r\n0\r\n\r\n`],
    ['a chunk that is longer than it says', `${start}1\r\n${body}\r\n0\r\n\r\n`],
    [
      'chunks that do not end',
      `${start}${size}\r\n${body}\r\n`,
      { halfClose: true, answersMin: 0 },
    ],
    ['an unknown transfer encoding', `${head(base, json, 'transfer-encoding: gzip')}${body}`],
    [
      'a transfer encoding that almost is',
      `${head(base, json, 'transfer-encoding: xchunked')}${body}`,
    ],
    [
      'a request inside another',
      `${head(base, json, 'content-length: 4', 'transfer-encoding: chunked')}0\r\n\r\n${get(host)}`,
    ],
  ]
}

function heads(base: RawBase): Entry[] {
  const { host, body } = base
  const counted = `content-length: ${Buffer.byteLength(body)}`
  const spoiled = (line: string) => `${head(base, json, counted, line)}${body}`
  const health = { statuses: [200, ...bad] }
  return [
    // Refused by Node itself, without a word.
    ['no host', `GET /health/live HTTP/1.1\r\n\r\n`, { isBare: true }],
    ['two hosts', get(host, 'host: other.example\r\n'), health],
    ['a header without a colon', spoiled('nonsense')],
    ['a header with NUL', spoiled('x-y: a\0b')],
    ['a header with a line break alone', spoiled('x-y: a\rb')],
    ['a space in the name of a header', spoiled('x y: a')],
    ['a header without a name', spoiled(': a')],
    ['a folded header', get(host, 'x-y: a\r\n b\r\n'), health],
    ['line feeds alone', `GET /health/live HTTP/1.1\nhost: ${host}\n\n`, health],
    ['100,000 letters of header', get(host, `x-y: ${'x'.repeat(100_000)}\r\n`)],
    ['3,000 headers', get(host, 'x-yyyyyyyy: z\r\n'.repeat(3000))],
    ['an expectation of nonsense', spoiled('expect: nonsense')],
    [
      'an upgrade to HTTP/2',
      get(host, 'connection: upgrade, http2-settings\r\nupgrade: h2c\r\n'),
      health,
    ],
    [
      'an upgrade to a WebSocket',
      get(host, 'connection: upgrade\r\nupgrade: websocket\r\n'),
      health,
    ],
    ['a header twice', get(host, 'authorization: a\r\nauthorization: b\r\n'), health],
  ]
}

function lines({ host, target, method, authorization }: RawBase): Entry[] {
  const line = (text: string) =>
    `${text}\r\nhost: ${host}\r\nauthorization: ${authorization}\r\n\r\n`
  const health = { statuses: [200, ...bad] }
  const quiet = { statuses: [200, ...bad], answersMin: 0 }
  return [
    ['HTTP/1.0', 'GET /health/live HTTP/1.0\r\n\r\n', health],
    ['HTTP/0.9', 'GET /health/live\r\n\r\n', health],
    ['HTTP/2 without TLS', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', { answersMin: 0 }],
    ['a version that is none', line(`${method} ${target} HTTP/9.9`)],
    ['no version', line(`${method} ${target}`)],
    ['an absolute URI', line('GET http://other.example/health/live HTTP/1.1'), health],
    ['an absolute URI without a host', line('GET http:// HTTP/1.1')],
    ['a URI of another scheme', line('GET file:///etc/passwd HTTP/1.1')],
    ['two slashes', line('GET //health/live HTTP/1.1')],
    ['an asterisk', line('OPTIONS * HTTP/1.1')],
    ['a proxy request', line('CONNECT other.example:443 HTTP/1.1'), quiet],
    ['TRACE', line('TRACE / HTTP/1.1')],
    ['a method that is none', line(`FOO ${target} HTTP/1.1`)],
    ['a method in small letters', line(`${method.toLowerCase()} ${target} HTTP/1.1`)],
    ['a method with NUL', line(`${method}\0 ${target} HTTP/1.1`)],
    ['a space in the path', line(`${method} ${target} x HTTP/1.1`)],
    ['a tab in the path', line(`${method} ${target}\tx HTTP/1.1`)],
    ['NUL in the path', line(`${method} ${target}\0 HTTP/1.1`)],
    ['bytes beyond ASCII in the path', line(`GET /v1/people/\xe9\xff HTTP/1.1`)],
    ['a fragment in the path', line('GET /health/live#x HTTP/1.1'), health],
    ['a path of 100,000 letters', line(`GET /${'a'.repeat(100_000)} HTTP/1.1`)],
    ['a path without a slash', line('GET health HTTP/1.1')],
  ]
}

function pipelines(base: RawBase): Entry[] {
  const { host } = base
  const broken = `${head(base, json, 'content-length: 1')}{`
  return [
    ['20 requests at once', get(host).repeat(20), { statuses: [200], answersMin: 20 }],
    [
      'a good request, then nonsense',
      `${get(host)}nonsense\r\n\r\n`,
      { statuses: [200, 400], answersMin: 2 },
    ],
    // A body that could not be read ends the connection: the rest has no answer.
    ['10 broken bodies at once', broken.repeat(10), { statuses: [400] }],
    ['line breaks before a request', `\r\n\r\n${get(host)}`, { statuses: [200, 400] }],
  ]
}

function halves(base: RawBase, random: Random): Entry[] {
  const counted = `content-length: ${Buffer.byteLength(base.body)}`
  const whole = `${head(base, json, counted)}${base.body}`
  const upTo = (end: number) => whole.slice(0, random.int(1, end))
  const cut = { halfClose: true, answersMin: 0 }
  return [
    ['half a request line', upTo(10), cut],
    ['half the headers', upTo(whole.indexOf('\r\n\r\n')), cut],
    ['half a body', whole.slice(0, whole.length - random.int(1, base.body.length - 1)), cut],
    ['nothing at all', '', cut],
  ]
}

function noise(_base: RawBase, random: Random): Entry[] {
  const hello = Buffer.from('160301020001000001fc0303', 'hex')
  return [
    ['TLS', Buffer.concat([hello, random.bytes(500)])],
    ['random bytes', Buffer.concat([random.bytes(random.int(1, 2000)), Buffer.from('\r\n\r\n')])],
    ['a letter without end', 'A'.repeat(200_000)],
    ['NUL without end', '\0'.repeat(10_000)],
    ['another protocol', 'EHLO localhost\r\nMAIL FROM:<a@b>\r\n'],
    ['Redis', '*1\r\n$8\r\nFLUSHALL\r\n'],
  ]
}
