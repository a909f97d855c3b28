import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Sender, startTestSender } from './sender.ts'

let sender: Sender
let directory: string
let pages: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pushkeep-pages-'))
  pages = join(directory, 'pages')
  await mkdir(join(pages, 'assets'), { recursive: true })
  await writeFile(join(directory, 'outside.js'), 'outside')
  await writeFile(join(pages, 'index.html'), '<!doctype html><title>The console</title>')
  await writeFile(join(pages, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  await writeFile(join(pages, '.sources'), 'a stamp')
  await writeFile(join(pages, 'assets', 'app-1.js'), 'console.log(1)')
  await writeFile(join(pages, 'assets', 'app-1.js.gz'), gzipSync('console.log(1)'))
  sender = await startTestSender({ consolePages: pages })
})
afterAll(async () => {
  await sender[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

const get = (url: string, headers: Record<string, string> = {}) =>
  sender.app.inject({ url, headers })

test.each([
  '/ops',
  '/ops/',
  '/ops/sign-in',
  '/ops/messages',
  '/ops/messages/0193575e-0000-7000-8000-000000000000',
  '/ops/people',
  '/ops/people/ana%40example.com',
  `/ops/people/${'long'.repeat(40)}`,
  '/ops/apps',
  '/ops/keys',
  '/ops/audit',
])('%s is the console’s document, asked for anew each time', async (url) => {
  const answer = await get(url)
  expect(answer.statusCode).toBe(200)
  expect(answer.body).toContain('The console')
  expect(answer.headers['cache-control']).toBe('no-cache')
})

test('nothing but its own files is let in, nothing runs that stands in the page, nobody frames it', async () => {
  const { headers } = await get('/ops')
  const policy = String(headers['content-security-policy'])
  expect(policy.split('; ').toSorted()).toEqual([
    "base-uri 'none'",
    "connect-src 'self'",
    "default-src 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "img-src 'self' data:",
    "require-trusted-types-for 'script'",
    "script-src 'self'",
    "style-src 'self'",
    "trusted-types 'none'",
  ])
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
  })
})

test('a script is served packed where the browser takes that, and kept for ever', async () => {
  const plain = await get('/ops/assets/app-1.js')
  expect(plain.body).toBe('console.log(1)')
  const packed = await get('/ops/assets/app-1.js', { 'accept-encoding': 'gzip' })
  expect(packed.headers).toMatchObject({
    'content-encoding': 'gzip',
    'content-type': expect.stringContaining('javascript'),
    'cache-control': 'public, max-age=31536000, immutable',
  })
})

test.each([
  '/ops/nothing',
  '/ops/outside.js',
  '/ops/index.html',
  '/ops/.sources',
  '/ops/assets/none.js',
  '/ops/assets/%2e%2e/index.html',
  '/ops/assets/%2e%2e/%2e%2e/outside.js',
  '/ops/api/nothing',
])('%s is 404: neither a page nor a file of the console', async (url) => {
  const answer = await get(url)
  expect([answer.statusCode, answer.json().code]).toEqual([404, 'unknown_route'])
})

test('a path that leads outside is refused', async () => {
  const answer = await get('/ops/assets/..%2f..%2foutside.js')
  expect([answer.statusCode, answer.body]).toEqual([403, expect.not.stringContaining('outside')])
})

test('a browser that asks for an address that there is not gets the console, and the 404', async () => {
  const html = { accept: 'text/html,application/xhtml+xml' }
  const answer = await get('/ops/nothing', html)
  expect([answer.statusCode, answer.body]).toEqual([404, expect.stringContaining('The console')])
  expect((await get('/ops/api/nothing', html)).json().code).toBe('unknown_route')
})

test('pages that were never built are 503, and say how they are', async () => {
  await rm(join(pages, 'index.html'))
  const answer = await get('/ops')
  expect([answer.statusCode, answer.json().code]).toEqual([503, 'console_not_built'])
  expect(answer.json().detail).toContain('npm run build')
})
