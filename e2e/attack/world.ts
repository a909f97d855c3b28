import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Local, startLocal } from '@pushkeep/local-runner'
import {
  connect,
  createApp,
  createKey,
  createWorkspace,
  type Database,
  parseEncryptionKey,
  putCredentials,
  putIdentityKey,
} from '@pushkeep/store'
import type { Answer } from './attempt.ts'

/** What the attacked workspace has that nobody else may see. */
export interface Victim {
  appId: string
  secondAppId: string
  person: string
  token: string
  /** An attribute of the person that no answer to a stranger may hold. */
  mark: string
  messageId: string
  keys: { admin: string; operate: string; read: string; public: string; ofSecondApp: string }
  privateKeyPem: string
  publicKeyPem: string
}

export interface World extends AsyncDisposable {
  local: Local
  database: Database
  victim: Victim
  /** Keys of another workspace. */
  tenant: { admin: string; public: string; appId: string }
  call(
    method: string,
    url: string,
    key: string | null,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>
  simulator(method: string, path: string, body?: unknown): Promise<unknown>
  /** A secret key that no attempt has used yet, in the workspace of an app. */
  freshKey(
    appId: string,
    role: 'read' | 'operate' | 'admin',
  ): Promise<{ id: string; key: string; workspaceNo: number }>
}

/** Starts an installation with a workspace that is attacked, whose app asks for identity tokens, and another one. */
export async function openWorld(): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'pushkeep-attack-'))
  const running = await startLocal({
    directory,
    logLevel: 'warn',
    postgresSettings: ['fsync=off'],
    // Wrong keys of many sections come from one address.
    env: { registry: { LIMIT_REFUSALS: '0' }, sender: { LIMIT_REFUSALS: '0' } },
  })
  const { local } = running
  const database = connect({ url: local.database_url, name: 'attack', connectionsMax: 2 })
  const call: World['call'] = async (method, url, key, body, headers = {}) => {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  const simulator: World['simulator'] = async (method, path, body) => {
    const answer = await call(method, local.simulator_url + path, null, body)
    if (answer.status >= 300) throw new Error(`the simulator answered ${answer.status}`)
    return answer.text === '' ? null : JSON.parse(answer.text)
  }
  const close = async () => {
    await database.end()
    await running.stop()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const encryptionKey = parseEncryptionKey(running.encryptionKey)
    const victim = await addVictim(database, encryptionKey, local, call, simulator)
    return {
      local,
      database,
      victim,
      tenant: await addTenant(database),
      call,
      simulator,
      freshKey: (appId, role) => freshKey(database, appId, role),
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function addVictim(
  database: Database,
  encryptionKey: ReturnType<typeof parseEncryptionKey>,
  local: Local,
  call: World['call'],
  simulator: World['simulator'],
): Promise<Victim> {
  const { workspaceNo } = await createWorkspace(database, 'victim')
  const app = await createApp(database, workspaceNo, 'shop', 'required')
  const second = await createApp(database, workspaceNo, 'news', 'required')
  const issued = (await simulator('POST', '/credentials', {
    name: 'shop',
    topic: 'com.example.shop',
  })) as { apns: Record<'teamId' | 'keyId' | 'topic' | 'privateKeyPem', string> }
  const { privateKeyPem: secret, ...settings } = issued.apns
  const credentials = { appNo: app.appNo, provider: 'apns', settings, secret } as const
  await putCredentials(database, encryptionKey, credentials)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicKeyPem = String(publicKey.export({ type: 'spki', format: 'pem' }))
  const identityKey = {
    appNo: app.appNo,
    kid: 'backend',
    algorithm: 'ES256',
    key: publicKeyPem,
  } as const
  await putIdentityKey(database, identityKey, null)
  const secretKey = async (role: 'admin' | 'operate' | 'read', appNo: number | null = null) =>
    (await createKey(database, { workspaceNo, appNo, kind: 'secret', name: role, role })).key
  const forApps = { workspaceNo, appNo: app.appNo, kind: 'public', name: 'app' } as const
  const keys = {
    admin: await secretKey('admin'),
    operate: await secretKey('operate'),
    read: await secretKey('read'),
    ofSecondApp: await secretKey('operate', second.appNo),
    public: (await createKey(database, forApps)).key,
  }
  const person = 'victim-1'
  const token = randomBytes(32).toString('hex')
  const mark = `mark-${randomBytes(8).toString('hex')}`
  const made = await call(
    'PUT',
    `${local.registry_url}/v1/people/${person}/devices`,
    keys.operate,
    {
      device: {
        id: token,
        platform: 'ios',
        app_id: app.id,
        attributes: { secret_of_device: mark },
      },
    },
  )
  const named = await call('PUT', `${local.registry_url}/v1/people/${person}`, keys.operate, {
    attributes: { email: 'victim@example.com', secret_of_person: mark },
  })
  const sent = await call('POST', `${local.sender_url}/v1/messages`, keys.operate, {
    to: { person_id: person },
    content: { title: mark },
  })
  if (made.status !== 200 || named.status !== 200 || sent.status !== 202) {
    throw new Error(`the victim was not made: ${made.status}, ${named.status}, ${sent.status}`)
  }
  return {
    appId: app.id,
    secondAppId: second.id,
    person,
    token,
    mark,
    messageId: String(JSON.parse(sent.text).id),
    keys,
    privateKeyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    publicKeyPem,
  }
}

async function freshKey(database: Database, appId: string, role: 'read' | 'operate' | 'admin') {
  const { rows } = await database.query<{ no: number }>(
    'select workspace_no as no from apps where id = $1',
    [appId],
  )
  const workspaceNo = rows[0]?.no ?? 0
  const name = `fresh ${randomBytes(4).toString('hex')}`
  const made = await createKey(database, { workspaceNo, appNo: null, kind: 'secret', name, role })
  return { ...made, workspaceNo }
}

async function addTenant(database: Database) {
  const { workspaceNo } = await createWorkspace(database, 'tenant')
  const app = await createApp(database, workspaceNo, 'other', 'off')
  const owner = { workspaceNo, appNo: null, name: 'tenant' }
  const admin = await createKey(database, { ...owner, kind: 'secret', role: 'admin' })
  const forApps = await createKey(database, { ...owner, kind: 'public' })
  return { admin: admin.key, public: forApps.key, appId: app.id }
}
