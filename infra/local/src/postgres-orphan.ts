import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commandOf, identityOf, waitUntilGone } from './identity.ts'

/**
 * Ends a server that was left on this data directory by a run that was killed. The pid in
 * `postmaster.pid` may be anybody's by now: only a process that names the directory is touched.
 */
export async function endOrphan(directory: string): Promise<void> {
  const pid = await postmasterPid(directory)
  if (pid === null) return
  const identity = await identityOf(pid)
  const command = await commandOf(pid)
  if (!identity || !command?.includes(directory)) return
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    process.kill(pid, signal)
    if (await waitUntilGone(pid, identity, 10_000)) return
  }
}

async function postmasterPid(directory: string): Promise<number | null> {
  try {
    const [line = ''] = (await readFile(join(directory, 'postmaster.pid'), 'utf8')).split('\n')
    return /^\d+$/.test(line) ? Number(line) : null
  } catch {
    return null
  }
}
