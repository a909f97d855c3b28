import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Whom a server runs as where we are root. */
export interface ServerUser {
  uid: number
  gid: number
}

/**
 * PostgreSQL refuses to run as root: there it runs as the user `postgres`, made where it is missing,
 * or else as `nobody`. undefined where we are not root: it runs as whoever we are.
 */
export async function serverUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const user = (await idsOf('postgres')) ?? (await createUser()) ?? (await idsOf('nobody'))
  if (!user) throw new Error('PostgreSQL does not run as root, and there is no other user')
  return user
}

async function idsOf(name: string): Promise<ServerUser | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return null
  }
}

async function createUser(): Promise<ServerUser | null> {
  try {
    await run('useradd', ['--system', '--user-group', '--shell', '/bin/false', 'postgres'])
  } catch {
    return null
  }
  return idsOf('postgres')
}

/** The folder above `path` that this user may not pass, or null. */
export async function obstacle(path: string, user: ServerUser): Promise<string | null> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder)
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return folder
    if (folder === dirname(folder)) return null
  }
}
