import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Local, type LocalOptions, startLocal } from '@pushkeep/local-runner'
import { createTestDatabase } from '@pushkeep/testkit'
import { expect } from 'vitest'
import { wipeQueue } from '../chaos/wipe-queue.ts'

/** The whole system as processes, with calls that a backend would make. */
export interface System extends AsyncDisposable {
  local: Local
  /** In base64. */
  encryptionKey: string
  /** Calls a service with the secret key; the answer's status and JSON. */
  call(
    method: string,
    url: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>
  registry(method: string, path: string, body?: unknown): Promise<Answer>
  sender(method: string, path: string, body?: unknown): Promise<Answer>
  simulator(method: string, path: string, body?: unknown): Promise<Answer>
  /** Ends a worker without a word; it is started again after a while. */
  killWorker(index: number): Promise<void>
  /** Takes away everything that the queue in PostgreSQL knows. */
  wipeQueue(): Promise<void>
}

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where it is not
  body: any
}

interface SystemOptions extends Partial<LocalOptions> {
  /** Starts a PostgreSQL of its own, whose lines are told, too; else it has a database of the run's. */
  withPostgres?: boolean
}

/** Starts everything in a folder of its own; it goes when the system is disposed of. */
export async function startSystem({
  withPostgres = false,
  ...options
}: SystemOptions = {}): Promise<System> {
  const directory = await mkdtemp(join(tmpdir(), 'pushkeep-e2e-'))
  const shared = withPostgres ? null : await createTestDatabase(1)
  const running = await startLocal({
    directory,
    logLevel: 'warn',
    ...(shared ? { databaseUrl: shared.url } : { postgresSettings: ['fsync=off'] }),
    ...options,
  })
  const { local } = running
  const call: System['call'] = async (method, url, body, headers = {}) => {
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${local.secret_key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? null : JSON.parse(text) }
  }
  return {
    local,
    encryptionKey: running.encryptionKey,
    call,
    registry: (method, path, body) => call(method, local.registry_url + path, body),
    sender: (method, path, body) => call(method, local.sender_url + path, body),
    simulator: (method, path, body) => call(method, local.simulator_url + path, body),
    async killWorker(index) {
      const child = running.workers[index]?.child
      if (!child) throw new Error('there is no such worker')
      process.kill(child.pid, 'SIGKILL')
      await child.exited
    },
    wipeQueue: () => wipeQueue(local.database_url),
    async [Symbol.asyncDispose]() {
      await running.stop()
      await shared?.[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export const iosToken = () => randomBytes(32).toString('hex')
export const androidToken = () =>
  `${randomBytes(11).toString('base64url')}:APA91b${randomBytes(90).toString('base64url')}`

/** Posts a message and returns its id. */
export async function send(system: System, message: unknown): Promise<string> {
  const answer = await system.sender('POST', '/v1/messages', message)
  expect(answer).toMatchObject({ status: 202, body: { id: expect.any(String) } })
  return answer.body.id
}

/** Waits until nothing of a message is pending; its final report. */
export async function done(
  system: System,
  id: string,
  timeoutMs = 60_000,
): Promise<Answer['body']> {
  await expect
    .poll(async () => (await system.sender('GET', `/v1/messages/${id}`)).body.state, {
      timeout: timeoutMs,
      interval: 50,
    })
    .toBe('done')
  const { body } = await system.sender('GET', `/v1/messages/${id}`)
  expect(body.balanced).toBe(true)
  return body
}

/** All deliveries of a message, page by page. */
export async function deliveries(system: System, id: string): Promise<Answer['body'][]> {
  const all = []
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const { body } = await system.sender('GET', `/v1/messages/${id}/deliveries?limit=300${query}`)
    all.push(...body.deliveries)
    cursor = body.next_cursor
  } while (cursor !== null)
  return all
}

/** Runs `work` over `items`, a bounded number at a time. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < items.length) {
        const index = next
        next += 1
        const item = items[index]
        if (item !== undefined) await work(item, index)
      }
    }),
  )
}
