import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Credentials } from '../src/credentials.ts'
import { type Simulator, startSimulator } from '../src/index.ts'
import { admin, apnsClient, newToken, push } from './client.ts'

const MAIN = join(import.meta.dirname, '../src/main.ts')

const Ready = z.object({
  ready: z.literal(true),
  urls: z.object({
    simulator: z.url(),
    apnsProduction: z.url(),
    apnsSandbox: z.url(),
    fcm: z.url(),
    fcmToken: z.url(),
  }),
  ca_file: z.string().nullable(),
  credentials_file: z.string().nullable(),
})

let stateDir: string
let child: ChildProcess | null = null

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'simulator-'))
})

afterEach(async () => {
  if (child !== null && child.exitCode === null) child.kill('SIGKILL')
  child = null
  await rm(stateDir, { recursive: true })
})

function run(flags: string[]) {
  const started = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  child = started
  const output = { out: '', err: '' }
  started.stdout.on('data', (chunk) => {
    output.out += chunk
  })
  started.stderr.on('data', (chunk) => {
    output.err += chunk
  })
  return { process: started, output }
}

async function ready(started: ReturnType<typeof run>) {
  while (!started.output.out.includes('\n')) await once(started.process.stdout, 'data')
  return Ready.parse(JSON.parse(started.output.out))
}

describe('the process', () => {
  test('says in one line where it is, serves, and ends within a second of SIGTERM', async () => {
    const started = run(['--state-dir', stateDir, '--journal', 'count', '--max-streams', '50'])
    const { urls, ca_file, credentials_file } = await ready(started)
    expect([ca_file, credentials_file]).toEqual([
      join(stateDir, 'ca.pem'),
      join(stateDir, 'credentials.json'),
    ])
    const credentials = Credentials.parse(
      JSON.parse(await readFile(join(stateDir, 'credentials.json'), 'utf8')),
    )
    const caPem = await readFile(join(stateDir, 'ca.pem'), 'utf8')
    const there: Simulator = {
      ...{ urls, credentials, caPem, caFile: ca_file, credentialsFile: credentials_file },
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    }
    const client = apnsClient(there)
    const token = newToken()
    expect(await push(there, client, token)).toMatchObject({ status: 200 })
    // Neither an open connection, a waiting caller nor a slow answer may hold it up.
    const behaviour = { kind: 'slow', delay_ms: 60_000 }
    await admin(there, 'PUT', `/tokens/${token}`, { behaviour })
    const slow = push(there, client, token)
    const waiting = admin(there, 'GET', '/received/wait?accepted=99').catch(() => 'ended')
    const stoppedAt = Date.now()
    started.process.kill('SIGTERM')
    const [code] = await once(started.process, 'exit')
    expect(code).toBe(0)
    expect(Date.now() - stoppedAt).toBeLessThan(1000)
    expect(await slow).toMatchObject({ status: 0 })
    await waiting
    await client.close()
    expect(started.output.err).toBe('')
    expect(started.output.out).not.toContain(token)
  })

  test('refuses flags it does not understand and says which', async () => {
    const started = run(['--admin-port', 'eighty', '--journal', 'some'])
    const [code] = await once(started.process, 'exit')
    expect(code).toBe(1)
    expect(started.output.err).toContain('admin-port')
    expect(started.output.err).toContain('journal')
  })
})

describe('a state folder', () => {
  test('keeps the CA and all credentials, in files for their owner only', async () => {
    const first = await startSimulator({ stateDir })
    await admin(first, 'POST', '/credentials', { name: 'second', topic: 'com.example.second' })
    await first.close()
    for (const name of ['ca.pem', 'ca-key.pem', 'credentials.json']) {
      expect((await stat(join(stateDir, name))).mode & 0o777).toBe(0o600)
    }
    await using second = await startSimulator({ stateDir })
    expect(second.caPem).toBe(first.caPem)
    expect(second.credentials.apns).toEqual(first.credentials.apns)
    expect(second.credentials.fcm.serviceAccount).toEqual({
      ...first.credentials.fcm.serviceAccount,
      token_uri: second.urls.fcmToken,
    })
    const { body } = await admin(second, 'GET', '/credentials')
    expect(body).toMatchObject([{ name: 'default' }, { name: 'second' }])
    const client = apnsClient(second)
    expect(await push(second, client)).toMatchObject({ status: 200 })
    await client.close()
  })
})

test('a port that is taken is an error, and leaves nothing listening', async () => {
  await using first = await startSimulator()
  const admin = Number(new URL(first.urls.simulator).port)
  await expect(startSimulator({ ports: { admin } })).rejects.toThrow('EADDRINUSE')
})
