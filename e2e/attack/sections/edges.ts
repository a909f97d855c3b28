import { connect } from 'node:net'
import { type Section, unless } from '../attempt.ts'
import type { World } from '../world.ts'

/** Sends a text over a connection of its own; what came back, or `silent` where the server kept it open. */
function raw(origin: string, text: string): Promise<string> {
  const { port } = new URL(origin)
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect({ host: '127.0.0.1', port: Number(port) }, () => socket.write(text))
    socket.setTimeout(3000, () => {
      answer ||= 'silent'
      socket.destroy()
    })
    socket.on('data', (data) => {
      answer += data.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
  })
}

/** Refused in words, or by closing the connection. */
const isRefused = (answer: string) => answer === '' || /^HTTP\/1\.1 (4\d\d|501|505)/.test(answer)

/** Requests that HTTP does not allow, names that a private port is not called, the console's edge. */
export function edgeSection({ local, victim, call }: World): Section {
  const { registry_url: registry, sender_url: sender } = local
  const body = '{"attributes":{"smuggled":true}}'
  const start = `PUT /v1/people/${victim.person} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${victim.keys.operate}\r\ncontent-type: application/json\r\n`
  const smuggling: Record<string, string> = {
    'length and chunks': `${start}content-length: ${body.length}\r\ntransfer-encoding: chunked\r\n\r\n${body}`,
    'two lengths': `${start}content-length: ${body.length}\r\ncontent-length: 1\r\n\r\n${body}`,
    'a negative length': `${start}content-length: -1\r\n\r\n${body}`,
    'an unknown encoding': `${start}transfer-encoding: xchunked\r\n\r\n${body}`,
    'a space before the colon': `${start}content-length : ${body.length}\r\n\r\n${body}`,
    'a bare line feed': start.replaceAll('\r\n', '\n'),
    'NUL in a header': `${start}x: a\0b\r\n\r\n`,
    'no host': 'GET /v1/people/x HTTP/1.1\r\n\r\n',
    TRACE: 'TRACE / HTTP/1.1\r\nhost: x\r\n\r\n',
    CONNECT: 'CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n',
    'headers without end': `GET / HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(100_000)}\r\n\r\n`,
  }
  const paths = [
    '/%2e%2e/%2e%2e/etc/passwd',
    '/..%2f..%2fetc/passwd',
    '//etc/passwd',
    '/.env',
    '/.git/config',
    '/openapi.json/..%2f..%2fetc/passwd',
    '/ops/..%2f..%2fpackage.json',
    '/%00',
  ]
  const operations = local.metrics_urls.map((url) => new URL(url).origin)
  return {
    name: 'edges',
    control: async () => {
      const answer = await raw(
        registry,
        'GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      )
      if (!answer.startsWith('HTTP/1.1 200'))
        throw new Error(`a plain request: ${answer.slice(0, 80)}`)
    },
    attempts: [
      ...Object.entries(smuggling).map(([name, text]) => ({
        name: `smuggling: ${name}`,
        run: async () => {
          const answer = await raw(registry, text)
          const told = await call('GET', `${registry}/v1/people/${victim.person}`, victim.keys.read)
          if (told.text.includes('smuggled')) return 'it was stored'
          return isRefused(answer) ? null : answer.slice(0, 80)
        },
      })),
      ...[registry, sender].flatMap((origin, n) =>
        paths.map((path) => ({
          name: `path: ${path} of service ${n + 1}`,
          run: async () => {
            const answer = await raw(
              origin,
              `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
            )
            return isRefused(answer) && !/root:|\[core\]|"dependencies"/.test(answer)
              ? null
              : answer.slice(0, 80)
          },
        })),
      ),
      ...operations.flatMap((origin, n) => [
        {
          name: `DNS rebinding to private port ${n + 1}`,
          run: async () => {
            const answer = await raw(
              origin,
              'GET /metrics HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n',
            )
            return isRefused(answer) ? null : answer.slice(0, 80)
          },
        },
        {
          name: `log level of private port ${n + 1} without a key`,
          run: async () =>
            unless(
              await call('PUT', `${origin}/log-level`, null, { level: 'silent' }),
              [401, 403, 404],
            ),
        },
        {
          name: `log level of private port ${n + 1} with a tenant's key`,
          run: async () =>
            unless(
              await call('PUT', `${origin}/log-level`, victim.keys.admin, { level: 'silent' }),
              [401, 403, 404],
            ),
        },
      ]),
      ...[
        '/ops/api/overview',
        '/ops/api/apps',
        '/ops/api/keys',
        '/ops/api/audit',
        '/ops/queues',
      ].map((path) => ({
        name: `console without a session: ${path}`,
        run: async () =>
          unless(await call('GET', sender + path, null), [302, 303, 401, 403, 404], [victim.mark]),
      })),
      ...['https://evil.example', 'null', 'http://127.0.0.1.evil.example'].map((origin) => ({
        name: `signing in from ${origin}`,
        run: async () =>
          unless(
            await call(
              'POST',
              `${sender}/ops/api/session`,
              null,
              { key: victim.keys.admin },
              { origin },
            ),
            [403],
          ),
      })),
    ],
  }
}
