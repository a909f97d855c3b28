import { createKey, createWorkspace, installationNo, readAudit } from '@pushkeep/store'
import { createTestDatabase } from '@pushkeep/testkit'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import {
  buildOperations,
  createLevelSwitch,
  createLogger,
  createMetrics,
  startOperations,
} from '../src/index.ts'

const program = { name: 'test', version: '1' }

afterEach(() => {
  vi.useRealTimers()
})

async function scene() {
  const db = await createTestDatabase()
  onTestFinished(() => db[Symbol.asyncDispose]())
  const lines: string[] = []
  const stream = { write: (line: string) => lines.push(line) }
  const logger = createLogger({ name: 'test', level: 'warn', stream })
  const metrics = createMetrics(program)
  const options = { ...program, logger, metrics, database: db.database }
  const level = createLevelSwitch(logger)
  const app = buildOperations(options, level)
  onTestFinished(() => app.close())
  const { workspaceNo } = await createWorkspace(db.database, 'test')
  const keyOf = async (isInstallation: boolean, role: 'read' | 'operate' = 'operate') => {
    const key = { workspaceNo, appNo: null, kind: 'secret', name: 'x', role } as const
    return (await createKey(db.database, { ...key, isInstallation })).key
  }
  const headers = { authorization: `Bearer ${await keyOf(true)}` }
  return { app, lines, logger, options, keyOf, headers }
}

test('/metrics is in the text format of Prometheus, with Node’s own', async () => {
  const { app } = await scene()
  const answer = await app.inject('/metrics')
  expect(answer.statusCode).toBe(200)
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(answer.body).toContain('pushkeep_build_info{program="test",version="1"} 1')
  expect(answer.body).toContain('nodejs_eventloop_lag_p99_seconds')
  expect((await app.inject('/health/ready')).statusCode).toBe(200)
})

test('the log level changes at once, and comes back when its time is over', async () => {
  const { app, logger, lines, headers } = await scene()
  const put = (payload: object) =>
    app.inject({ method: 'PUT', url: '/log-level', payload, headers })
  logger.debug('unseen')
  const before = Date.now()
  const answer = await put({ level: 'debug', for_seconds: 1 })
  expect(answer.json().level).toBe('debug')
  expect(Date.parse(answer.json().until)).toBeGreaterThanOrEqual(before + 1000)
  logger.debug('seen')
  await expect
    .poll(async () => (await app.inject('/log-level')).json(), { timeout: 5000 })
    .toEqual({ level: 'warn', until: null })
  logger.info('unseen again')
  const text = lines.join('')
  expect(text).toContain('"msg":"seen"')
  expect(text).not.toContain('unseen')
  expect(text).toMatch(/"event":"log-level.changed","from":"warn","to":"debug","for_seconds":1/)
})

test('who changes the log level is written down with their address, for the installation', async () => {
  const { app, options, headers } = await scene()
  const body = { method: 'PUT', url: '/log-level', payload: { level: 'info' }, headers } as const
  expect((await app.inject({ ...body, remoteAddress: '10.0.0.7' })).statusCode).toBe(200)
  const page = { workspaceNo: installationNo, appNo: null, before: null, limit: 10 }
  expect((await readAudit(options.database, page)).entries).toMatchObject([
    {
      action: 'log-level.set',
      address: '10.0.0.7',
      key: { name: 'x', role: 'operate' },
      detail: { from: 'warn', to: 'info' },
    },
  ])
})

test('a level that there is not is refused, by name, and changes nothing', async () => {
  const { app, headers } = await scene()
  for (const payload of [
    { level: 'loud' },
    { level: 'info', for_seconds: 0 },
    {},
    { leval: 'info' },
  ]) {
    const answer = await app.inject({ method: 'PUT', url: '/log-level', payload, headers })
    expect(answer.statusCode).toBe(422)
    expect(answer.json().errors[0].path).toMatch(/^(level|for_seconds|leval)$/)
  }
  expect((await app.inject('/log-level')).json()).toEqual({ level: 'warn', until: null })
})

test('a later level outlives the time of an earlier one', () => {
  vi.useFakeTimers()
  const logger = createLogger({ name: 'test', level: 'info', stream: { write: () => {} } })
  const level = createLevelSwitch(logger)
  level.set('debug', 10)
  level.set('trace', null)
  vi.advanceTimersByTime(60_000)
  expect(level.read()).toEqual({ level: 'trace', until: null })
})

test('SIGUSR2 switches to debug and back', async () => {
  const { options, logger } = await scene()
  const listener = await startOperations(options, { host: '127.0.0.1', port: 0 })
  process.kill(process.pid, 'SIGUSR2')
  await expect.poll(() => logger.level).toBe('debug')
  process.kill(process.pid, 'SIGUSR2')
  await expect.poll(() => logger.level).toBe('warn')
  expect((await fetch(`${listener.url}/metrics`)).status).toBe(200)
  await listener.close()
  expect(process.listenerCount('SIGUSR2')).toBe(0)
})

test('only an operator of the installation changes the log level', async () => {
  const { app, keyOf } = await scene()
  const put = (headers: Record<string, string>) =>
    app.inject({ method: 'PUT', url: '/log-level', payload: { level: 'silent' }, headers })
  const bearer = async (isInstallation: boolean, role?: 'read') => ({
    authorization: `Bearer ${await keyOf(isInstallation, role)}`,
  })
  expect((await put({})).statusCode).toBe(401)
  expect((await put(await bearer(false))).statusCode).toBe(401)
  expect((await put(await bearer(true, 'read'))).statusCode).toBe(403)
  expect((await app.inject('/log-level')).json().level).toBe('warn')
  expect((await put(await bearer(true))).statusCode).toBe(200)
})

test.each([
  ['evil.example', 421],
  ['evil.example:7011', 421],
  ['127.0.0.1.evil.example', 421],
  ['evil.svc.cluster.local.example', 421],
  ['127.0.0.1:7011', 200],
  ['[::1]:7011', 200],
  ['localhost:7011', 200],
  ['workers:7003', 200],
  ['workers.push.svc.cluster.local:7003', 200],
  ['ops.example', 200],
  ['a.below.example', 200],
  ['below.example', 421],
])('a request that names the host %s: %d', async (host, status) => {
  const { options } = await scene()
  const level = createLevelSwitch(options.logger)
  const app = buildOperations({ ...options, hosts: ['ops.example', '*.below.example'] }, level)
  onTestFinished(() => app.close())
  for (const url of ['/metrics', '/health/ready', '/log-level']) {
    expect((await app.inject({ url, headers: { host } })).statusCode).toBe(status)
  }
})
