import { access, constants, statfs } from 'node:fs/promises'
import { pathsOf } from '../../../directory.ts'
import type { Local } from '../../../local.ts'
import { runningProcess } from '../../../pid-file.ts'
import { isPortFree, usualPorts } from '../../../ports.ts'
import type { JournalSeen, PortsSeen } from '../judge/machine.ts'

/** Looks at the folder of outcomes without writing into it. */
export async function lookAtJournal(folder: string | null): Promise<JournalSeen> {
  if (folder === null) return { kind: 'unset' }
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    const { bavail, bsize } = await statfs(folder)
    return { kind: 'usable', folder, freeBytes: bavail * bsize }
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    return { kind: 'unusable', folder, reason }
  }
}

/** Looks at the ports of `./scripts/start`, or at those of the run that there is. */
export async function lookAtPorts(directory: string, local: Local | null): Promise<PortsSeen> {
  if (local === null) {
    const free = await Promise.all(usualPorts.map(isPortFree))
    return { kind: 'idle', taken: usualPorts.filter((_, index) => !free[index]) }
  }
  if ((await runningProcess(directory)) === null) {
    return { kind: 'gone', file: pathsOf(directory).local }
  }
  const urls = [local.registry_url, local.sender_url, local.simulator_url, ...local.metrics_urls]
  return { kind: 'running', ports: urls.map((url) => Number(new URL(url).port)) }
}
