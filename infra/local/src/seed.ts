import {
  createApp,
  createKey,
  createWorkspace,
  type Database,
  type EncryptionKey,
  findApp,
  findKeys,
  findWorkspace,
  hashKey,
  inTransaction,
  loadCredentials,
  type NewCredentials,
  putCredentials,
  type Sql,
} from '@pushkeep/store'
import { z } from 'zod'
import type { Installation } from './secrets.ts'

/** The part of the simulator's credentials file that we use. */
export const SimulatorCredentials = z.object({
  apns: z.object({
    teamId: z.string(),
    keyId: z.string(),
    topic: z.string(),
    privateKeyPem: z.string(),
  }),
  fcm: z.object({
    projectId: z.string(),
    serviceAccount: z.looseObject({ client_email: z.string() }),
  }),
})

export type SimulatorCredentials = z.infer<typeof SimulatorCredentials>

/** The installation of an earlier run where the database still has it, or a new one. */
export async function ensureInstallation(
  database: Database,
  known: Installation | undefined,
): Promise<Installation> {
  if (!known || !(await isComplete(database, known))) {
    return inTransaction(database, createInstallation)
  }
  return (await hasOperator(database, known)) ? known : addOperator(database, known)
}

async function hasOperator(sql: Sql, { installation_key: key }: Installation): Promise<boolean> {
  if (key === undefined) return false
  const [owner] = await findKeys(sql, [hashKey(key)])
  return owner?.isInstallation ?? false
}

/** A key for the operator, for an installation that was made before there were such keys. */
async function addOperator(sql: Sql, known: Installation): Promise<Installation> {
  const workspace = await findWorkspace(sql, known.workspace_id)
  if (!workspace) throw new Error('the workspace that was just found is gone')
  return { ...known, installation_key: await createOperatorKey(sql, workspace.workspaceNo) }
}

async function createOperatorKey(sql: Sql, workspaceNo: number): Promise<string> {
  const { key } = await createKey(sql, {
    workspaceNo,
    appNo: null,
    kind: 'secret',
    name: 'local operator',
    role: 'admin',
    isInstallation: true,
  })
  return key
}

async function isComplete(sql: Sql, known: Installation): Promise<boolean> {
  const hashes = [known.secret_key, known.public_key].map(hashKey)
  const [workspace, app, owners] = await Promise.all([
    findWorkspace(sql, known.workspace_id),
    findApp(sql, known.app_id),
    findKeys(sql, hashes),
  ])
  return workspace !== null && app !== null && owners.every((owner) => owner !== null)
}

async function createInstallation(sql: Sql): Promise<Installation> {
  const workspace = await createWorkspace(sql, 'local')
  const { workspaceNo } = workspace
  // Open, so that the first push needs no backend that signs identity tokens: start and doctor say so.
  const app = await createApp(sql, workspaceNo, 'local app', 'off')
  // Whoever runs it here may do everything, in the console too.
  const newKey = (kind: 'secret' | 'public') =>
    createKey(sql, { workspaceNo, appNo: null, kind, name: `local ${kind}`, role: 'admin' })
  const secret = await newKey('secret')
  const forApps = await newKey('public')
  return {
    workspace_id: workspace.id,
    app_id: app.id,
    secret_key: secret.key,
    public_key: forApps.key,
    installation_key: await createOperatorKey(sql, workspaceNo),
  }
}

/** Gives the app the simulator's credentials where it has others: pushes must not go anywhere else. */
export async function ensureCredentials(
  sql: Sql,
  key: EncryptionKey,
  appId: string,
  simulator: SimulatorCredentials,
): Promise<void> {
  const app = await findApp(sql, appId)
  if (!app) throw new Error('the app that was just made is gone')
  for (const credentials of credentialsOf(app.appNo, simulator)) {
    if (await isStored(sql, key, credentials)) continue
    await putCredentials(sql, key, credentials)
  }
}

function credentialsOf(appNo: number, { apns, fcm }: SimulatorCredentials): NewCredentials[] {
  const { teamId, keyId, topic, privateKeyPem } = apns
  return [
    {
      appNo,
      provider: 'apns',
      settings: { teamId, keyId, topic },
      secret: privateKeyPem,
    },
    {
      appNo,
      provider: 'fcm',
      settings: { projectId: fcm.projectId, clientEmail: fcm.serviceAccount.client_email },
      secret: JSON.stringify(fcm.serviceAccount),
    },
  ]
}

async function isStored(
  sql: Sql,
  key: EncryptionKey,
  { appNo, provider, secret }: NewCredentials,
): Promise<boolean> {
  try {
    return (await loadCredentials(sql, key, appNo, provider))?.secret === secret
  } catch {
    // Sealed with the key of another directory.
    return false
  }
}
