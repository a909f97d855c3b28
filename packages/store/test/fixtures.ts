import { randomBytes } from 'node:crypto'
import type { NewMessage, Platform } from '@pushkeep/domain'
import { NewMessage as Message, providerOf } from '@pushkeep/domain'
import {
  type AcceptedMessage,
  acceptMessage,
  createApp,
  createWorkspace,
  type Database,
  findMessage,
  type LeasedChunk,
  type MessageReport,
  type Recipient,
  type Recording,
  tokenHash,
} from '../src/index.ts'

export interface Scene {
  database: Database
  workspaceNo: number
  appNo: number
}

/** A workspace with one app that has credentials of both providers. */
export async function createScene(database: Database): Promise<Scene> {
  const { workspaceNo } = await createWorkspace(database, 'test')
  const { appNo } = await createApp(database, workspaceNo, 'test')
  for (const provider of ['apns', 'fcm']) {
    await database.query(
      `insert into app_providers (app_no, provider, settings, secret) values ($1, $2, '{}', '')`,
      [appNo, provider],
    )
  }
  return { database, workspaceNo, appNo }
}

export const iosToken = () => randomBytes(32).toString('hex')
export const androidToken = () =>
  `${randomBytes(11).toString('base64url')}:APA91b${randomBytes(60).toString('base64url')}`

export async function insertPerson(scene: Scene, id: string): Promise<string> {
  const { rows } = await scene.database.query<{ person_no: string }>(
    `insert into people (workspace_no, id) values ($1, $2) returning person_no`,
    [scene.workspaceNo, id],
  )
  return rows[0]?.person_no ?? ''
}

export async function insertDevice(
  scene: Scene,
  options: { personNo?: string; platform?: Platform; token?: string } = {},
): Promise<{ deviceNo: string; token: string }> {
  const platform = options.platform ?? 'ios'
  const token = options.token ?? (platform === 'ios' ? iosToken() : androidToken())
  const { rows } = await scene.database.query<{ device_no: string }>(
    `insert into devices (app_no, token_hash, token, platform, provider, person_no, last_used,
                          registered_at, ordered_at)
     values ($1, $2, $3, $4, $5, $6, 0, now(), now()) returning device_no`,
    [
      scene.appNo,
      tokenHash(token),
      token,
      platform,
      providerOf(platform, token),
      options.personNo ?? null,
    ],
  )
  return { deviceNo: rows[0]?.device_no ?? '', token }
}

/** Accepts a message; `planNow` unless it is for everyone. */
export async function accept(
  scene: Scene,
  { send_at, ...message }: Partial<NewMessage> & Pick<NewMessage, 'to'>,
  options: Partial<AcceptedMessage> = {},
): Promise<string> {
  const accepted = await acceptMessage(scene.database, {
    workspaceNo: scene.workspaceNo,
    appNo: null,
    // (Read as seconds, kept in ms.)
    message: { ...Message.parse({ content: { title: 'Hello' }, ...message }), send_at },
    lane: 'transactional',
    planNow: message.to.all !== true,
    idempotency: null,
    ...options,
  })
  if (accepted.kind === 'conflict') throw new Error('conflict')
  return accepted.id
}

export async function report(scene: Scene, id: string): Promise<MessageReport> {
  const message = await findMessage(scene.database, {
    workspaceNo: scene.workspaceNo,
    appNo: null,
    id,
  })
  if (!message) throw new Error('no such message')
  return message
}

/** The numbers of a message's chunks that are not done, oldest first. */
export async function openChunks(scene: Scene): Promise<string[]> {
  const { rows } = await scene.database.query<{ chunk_no: string }>(
    `select chunk_no from chunks where state <> 'done' order by chunk_no`,
  )
  return rows.map((row) => row.chunk_no)
}

/** A recording of a delivery that the provider accepted. */
export function sent(
  chunk: Pick<LeasedChunk, 'chunkNo' | 'messageNo' | 'appNo' | 'provider'>,
  recipient: Recipient,
  changes: Partial<Recording> = {},
): Recording {
  return {
    chunkNo: chunk.chunkNo,
    messageNo: chunk.messageNo,
    appNo: chunk.appNo,
    provider: chunk.provider,
    deviceNo: recipient.deviceNo,
    personNo: recipient.personNo,
    status: 'sent',
    reason: null,
    attempts: 1,
    at: Date.now(),
    effect: { lastStatus: 'sent', token: null, failures: 0 },
    epoch: recipient.epoch,
    environment: null,
    ...changes,
  }
}

export async function deviceRow(scene: Scene, deviceNo: string | number) {
  const { rows } = await scene.database.query<{
    last_status: string
    dead_at: Date | null
    dead_reason: string | null
    failures: number
    environment: string | null
  }>(
    `select last_status, dead_at, dead_reason, failures, environment from devices where device_no = $1`,
    [deviceNo],
  )
  return rows[0]
}
