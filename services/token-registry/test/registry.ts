import { randomBytes } from 'node:crypto'
import { createLogger, type Limiter } from '@pushkeep/runtime'
import {
  type Caps,
  capSettings,
  createApp,
  createKey,
  createWorkspace,
  type EncryptionKey,
} from '@pushkeep/store'
import { createTestDatabase } from '@pushkeep/testkit'
import { buildApp } from '../src/index.ts'

export function randomToken(): string {
  return randomBytes(32).toString('hex')
}

export interface CallOptions {
  key?: string | null
  headers?: Record<string, string>
}

/** The registry on a database of its own, with a workspace, an app and keys; every answer checked. */
export async function createRegistry({
  caps = {},
  ...options
}: {
  identityKey?: EncryptionKey
  limiter?: Limiter
  caps?: Partial<Caps>
} = {}) {
  const testDatabase = await createTestDatabase(10, capSettings(caps))
  const { database } = testDatabase
  const lines: string[] = []
  const logger = createLogger({
    name: 'test',
    level: 'info',
    stream: { write: (line: string) => lines.push(line) },
  })
  const app = buildApp({
    database: testDatabase.as('registry'),
    logger,
    checkResponses: true,
    ...options,
  })
  const workspace = await createWorkspaceWithApp()

  async function createWorkspaceWithApp() {
    const { workspaceNo } = await createWorkspace(database, 'test')
    const { appNo, id } = await createApp(database, workspaceNo, 'test')
    const name = 'test'
    const secret = await createKey(database, { workspaceNo, appNo: null, kind: 'secret', name })
    const open = await createKey(database, { workspaceNo, appNo, kind: 'public', name })
    return { workspaceNo, appNo, appId: id, secretKey: secret.key, publicKey: open.key }
  }

  async function call(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    url: string,
    body?: object | string | Buffer,
    { key = workspace.secretKey, headers = {} }: CallOptions = {},
  ) {
    const response = await app.inject({
      method,
      url,
      ...(body === undefined ? {} : { payload: body }),
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    })
    const isJson = String(response.headers['content-type']).includes('json')
    return {
      status: response.statusCode,
      body: isJson ? response.json() : response.body,
      headers: response.headers,
    }
  }

  /** How many rows there are: to see that a refused call stored nothing. */
  async function countRows() {
    const { rows } = await database.query(
      `select (select count(*)::int from people) as people,
              (select count(*)::int from devices) as devices,
              (select count(*)::int from device_events) as events,
              (select count(*)::int from person_events) as person_events,
              (select count(*)::int from anonymous_ids) as anonymous_ids,
              (select count(*)::int from client_messages) as messages`,
    )
    return rows[0]
  }

  return {
    ...workspace,
    /** A call as an app makes it. */
    asApp: { key: workspace.publicKey },
    app,
    database,
    url: testDatabase.url,
    lines,
    call,
    countRows,
    createWorkspaceWithApp,
    async [Symbol.asyncDispose]() {
      await app.close()
      await testDatabase[Symbol.asyncDispose]()
    },
  }
}
