import { spawnSync } from 'node:child_process'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SpanKind, trace } from '@opentelemetry/api'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import {
  activeTraceId,
  activeTraceparent,
  createLogger,
  readConfig,
  startTracing,
  tracingConfig,
} from '../src/index.ts'

const token = 'ab12'.repeat(16)
const program = { name: 'test', version: '1' }
const Config = z.object(tracingConfig)

afterEach(() => {
  vi.unstubAllEnvs()
})

/** A server that keeps what it is sent. */
async function startReceiver(status = 200) {
  const received: { url: string; headers: IncomingHttpHeaders; body: Buffer }[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { url = '', headers } = request
      received.push({ url, headers, body: Buffer.concat(chunks) })
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { received, url: `http://127.0.0.1:${port}` }
}

test('a wrong setting is named', () => {
  const read = (env: Record<string, string>) => () => readConfig(Config, env)
  expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'nowhere' })).toThrow(
    'OTEL_EXPORTER_OTLP_ENDPOINT must be a URL',
  )
  expect(read({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toThrow(
    'must be http/protobuf or http/json',
  )
  expect(read({ OTEL_TRACES_SAMPLER: 'some' })).toThrow('OTEL_TRACES_SAMPLER must be one of')
  expect(read({ OTEL_TRACES_SAMPLER_ARG: '2' })).toThrow('must be a share from 0 to 1')
  expect(readConfig(Config, { OTEL_TRACES_SAMPLER_ARG: '0.25' }).OTEL_TRACES_SAMPLER_ARG).toBe(0.25)
})

test('where nothing is configured nothing is loaded, and there is no trace', async () => {
  const logger = createLogger({ name: 'test', level: 'silent' })
  expect(await startTracing(program, readConfig(Config, {}), logger)).toBeNull()
  expect(activeTraceparent()).toBeNull()
  expect(activeTraceId()).toBeUndefined()
  const runtime = new URL('../src/index.ts', import.meta.url).href
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ resolve: (name, context, next) => { loaded.push(name); return next(name, context) } })
    const { startTracing, createLogger, readConfig, tracingConfig } = await import('${runtime}')
    const { z } = await import('${import.meta.resolve('zod')}')
    const logger = createLogger({ name: 't', level: 'silent' })
    await startTracing({ name: 't', version: '1' }, readConfig(z.object(tracingConfig), {}), logger)
    console.log(loaded.filter((name) => /^@opentelemetry/.test(name)).join(' '))
    process.exit()`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: new URL('..', import.meta.url).pathname,
  })
  expect([...new Set(String(stdout).trim().split(' '))]).toEqual(['@opentelemetry/api'])
})

test('spans are sent as protobuf, without what an error repeats of a token; upkeep is not', async () => {
  const { received, url } = await startReceiver()
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', url)
  vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'x-team=push')
  const logger = createLogger({ name: 'test', level: 'silent' })
  const config = readConfig(Config, process.env)
  const tracing = await startTracing(program, config, logger)
  const tracer = trace.getTracer('test')
  tracer.startSpan('look for work').end()
  tracer.startActiveSpan('a request', { kind: SpanKind.SERVER }, (span) => {
    expect(activeTraceparent()).toBe(`00-${activeTraceId()}-${span.spanContext().spanId}-01`)
    tracer.startActiveSpan('inside', (inner) => {
      inner.recordException(new Error(`bad token ${token} of ana@example.com`))
      inner.end()
    })
    span.end()
  })
  await tracing?.stop()
  const [sent] = received
  const text = Buffer.concat(received.map(({ body }) => body)).toString('latin1')
  expect(sent?.url).toBe('/v1/traces')
  expect(sent?.headers).toMatchObject({
    'content-type': 'application/x-protobuf',
    'x-team': 'push',
  })
  for (const name of ['pushkeep-test', 'a request', 'inside', 'bad token [secret] of [secret]']) {
    expect(text).toContain(name)
  }
  expect(text).not.toContain('look for work')
  expect(text).not.toMatch(/ab12ab12|example\.com/)
})
