import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * What tells a process from a later one with the same pid: when it was started. null where no such
 * process runs.
 */
export async function identityOf(pid: number): Promise<string | null> {
  return process.platform === 'linux' ? identityFromProc(pid) : identityFromPs(pid)
}

async function identityFromProc(pid: number): Promise<string | null> {
  try {
    const [line, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ])
    // The name, in brackets, may hold anything; the fields count from behind it: state, …, start time.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
    const [state, startedAt] = [fields[0], fields[19]]
    if (state === 'Z' || state === 'X') return null
    return `${boot.trim()} ${startedAt}`
  } catch {
    return null
  }
}

async function identityFromPs(pid: number): Promise<string | null> {
  try {
    const { stdout } = await run('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)])
    const text = stdout.trim()
    return text === '' || text.startsWith('Z') ? null : text.replace(/^\S+\s+/, '')
  } catch {
    return null
  }
}

/** The command line of a process, or null. */
export async function commandOf(pid: number): Promise<string | null> {
  try {
    if (process.platform === 'linux') {
      return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
    }
    return (await run('ps', ['-o', 'command=', '-p', String(pid)])).stdout
  } catch {
    return null
  }
}

/** Waits until the process is gone; false where it is still there after `deadlineMs`. */
export async function waitUntilGone(
  pid: number,
  identity: string,
  deadlineMs: number,
): Promise<boolean> {
  const until = performance.now() + deadlineMs
  while ((await identityOf(pid)) === identity) {
    if (performance.now() > until) return false
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return true
}
