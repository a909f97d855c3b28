import { tokenHash } from '@pushkeep/store'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { buildServer, createLogger, noteRequest } from '../src/index.ts'

const token = 'ab12'.repeat(16)

async function linesOf(level: string, requests: string[]): Promise<Record<string, unknown>[]> {
  const lines: string[] = []
  const stream = { write: (line: string) => lines.push(line) }
  const logger = createLogger({ name: 'test', level, stream })
  const app = buildServer({ logger, title: 't', description: 'd', version: '1' })
  onTestFinished(() => app.close())
  app.register((routes, _options, done) => {
    const config = { access: 'open' } as const
    routes.get(
      '/devices/:token',
      { config, schema: { params: z.object({ token: z.string() }) } },
      () => ({ ok: true }),
    )
    routes.get('/messages', { config }, (request) => {
      noteRequest(request, { message_id: 'm-1' })
      noteRequest(request, { device: 'd-1' })
      return { ok: true }
    })
    done()
  })
  for (const url of requests) await app.inject(url)
  expect(lines.join('')).not.toContain(token)
  return lines.map((line) => JSON.parse(line))
}

test('a request is one line: its route, and as much of a token as may be told', async () => {
  const [line, ...others] = await linesOf('info', [`/devices/${token}`])
  expect(others).toEqual([])
  expect(line).toMatchObject({
    level: 'info',
    msg: 'request',
    method: 'GET',
    route: '/devices/:token',
    status: 200,
    device: tokenHash(token).slice(0, 12),
  })
  expect(line).toHaveProperty('request_id')
})

test('a token in upper case is shown as the same one', async () => {
  const lines = await linesOf('info', [`/devices/${token}`, `/devices/${token.toUpperCase()}`])
  expect(lines[0]?.device).toBe(lines[1]?.device)
})

test('a route adds what its line should tell', async () => {
  const [line] = await linesOf('info', ['/messages'])
  expect(line).toMatchObject({ message_id: 'm-1', device: 'd-1' })
})

test('what machines ask all day is told at debug alone', async () => {
  expect(await linesOf('info', ['/health/live', '/health/ready'])).toEqual([])
  const lines = await linesOf('debug', ['/health/live'])
  expect(lines).toMatchObject([{ level: 'debug', route: '/health/live', status: 200 }])
})
