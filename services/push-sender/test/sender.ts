import type { QueueBackend } from '@pushkeep/queues'
import { createAuthenticator, createLogger, type Limiter, type Server } from '@pushkeep/runtime'
import {
  type App,
  type Caps,
  capSettings,
  createApp,
  createKey,
  createWorkspace,
  type Database,
} from '@pushkeep/store'
import { createTestDatabase } from '@pushkeep/testkit'
import { buildSender } from '../src/index.ts'

/** A workspace with two apps and a key of each kind. */
export interface Tenant {
  workspaceNo: number
  apps: [App, App]
  secret: string
  /** A secret key for the first app alone. */
  appSecret: string
  public: string
}

export interface Sender extends AsyncDisposable {
  app: Server
  database: Database
  databaseUrl: string
  tenant: Tenant
  other: Tenant
  /** Everything that was logged. */
  lines: string[]
}

/** The service on a database of its own, with two tenants; answers are compared with their schemas. */
export async function startTestSender(
  options: {
    queues?: QueueBackend
    connectionsMax?: number
    consolePages?: string
    limiter?: Limiter
    caps?: Partial<Caps>
  } = {},
): Promise<Sender> {
  const test = await createTestDatabase(options.connectionsMax, capSettings(options.caps ?? {}))
  const { database, url } = test
  const own = test.as('sender')
  const lines: string[] = []
  const app = buildSender({
    database: own,
    bell: { ring() {} },
    authenticate: createAuthenticator(own),
    logger: createLogger({
      name: 'push-sender',
      level: 'trace',
      stream: { write: (line: string) => lines.push(line) },
    }),
    queues: options.queues ?? { kind: 'postgres', url },
    ...(options.consolePages !== undefined && { consolePages: options.consolePages }),
    ...(options.limiter !== undefined && { limiter: options.limiter }),
    checkResponses: true,
  })
  return {
    app,
    database,
    databaseUrl: url,
    tenant: await createTenant(database),
    other: await createTenant(database),
    lines,
    async [Symbol.asyncDispose]() {
      await app.close()
      await test[Symbol.asyncDispose]()
    },
  }
}

async function createTenant(database: Database): Promise<Tenant> {
  const { workspaceNo } = await createWorkspace(database, 'test')
  const first = await createApp(database, workspaceNo, 'first')
  const second = await createApp(database, workspaceNo, 'second')
  const key = async (kind: 'secret' | 'public', appNo: number | null) => {
    return (await createKey(database, { workspaceNo, appNo, kind, name: 'test' })).key
  }
  return {
    workspaceNo,
    apps: [first, second],
    secret: await key('secret', null),
    appSecret: await key('secret', first.appNo),
    public: await key('public', first.appNo),
  }
}

/** `POST /v1/messages` with a key; `body` goes as it is where it is text or bytes. */
export function post(
  sender: Sender,
  body: unknown,
  headers: Record<string, string | string[]> = {},
) {
  return sender.app.inject({
    method: 'POST',
    url: '/v1/messages',
    headers: {
      authorization: `Bearer ${sender.tenant.secret}`,
      'content-type': 'application/json',
      ...headers,
    },
    payload: typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body),
  })
}

/** A GET with a key, by default the tenant's secret one. */
export function get(sender: Sender, url: string, key = sender.tenant.secret) {
  return sender.app.inject({ url, headers: { authorization: `Bearer ${key}` } })
}

/** Creates a person with a device on an app; returns their numbers and the token. */
export async function addDevice(
  { database }: Sender,
  device: { app: App; personId: string; token: string; platform?: 'ios' | 'android' },
): Promise<{ personNo: string; deviceNo: string }> {
  const { app, personId, token, platform = 'ios' } = device
  const { rows } = await database.query<{ personNo: string; deviceNo: string }>(
    `with person as (
       insert into people (workspace_no, id) values ($1, $2)
       on conflict (workspace_no, id) do update set updated_at = now()
       returning person_no
     )
     insert into devices (app_no, token_hash, token, platform, provider, person_no, last_used,
                          registered_at, ordered_at)
     select $3, left(encode(sha256($4::text::bytea), 'hex'), 32)::uuid, $4, $5,
            case $5 when 'ios' then 'apns' else 'fcm' end, person_no, 0, now(), now()
     from person
     returning person_no as "personNo", device_no as "deviceNo"`,
    [app.workspaceNo, personId, app.appNo, token, platform],
  )
  const [row] = rows
  if (!row) throw new Error('no device was created')
  return row
}

/** How many rows each table that accepting writes to has. */
export async function storedRows({ database }: Sender): Promise<Record<string, number>> {
  const { rows } = await database.query<Record<string, number>>(
    `select (select count(*)::int from messages) as messages,
            (select count(*)::int from message_counts) as counts,
            (select count(*)::int from idempotency_keys) as keys,
            (select count(*)::int from chunks) as chunks,
            (select count(*)::int from outbox) as outbox`,
  )
  return rows[0] ?? {}
}

/** A well-formed APNs token. */
export function apnsToken(number: number): string {
  return number.toString(16).padStart(64, '0')
}
