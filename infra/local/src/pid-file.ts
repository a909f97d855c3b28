import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { pathsOf } from './directory.ts'
import { identityOf } from './identity.ts'

/** The process of a run. */
export interface RunningProcess {
  pid: number
  identity: string
}

/** The process that runs with this directory; null where none does, whatever the file says. */
export async function runningProcess(directory: string): Promise<RunningProcess | null> {
  let text: string
  try {
    text = await readFile(pathsOf(directory).pid, 'utf8')
  } catch {
    return null
  }
  const [line, identity] = text.split('\n')
  const pid = Number(line)
  if (!Number.isSafeInteger(pid) || pid <= 0 || !identity) return null
  return (await identityOf(pid)) === identity ? { pid, identity } : null
}

/** Takes the directory for this process; null, or the process that has it. */
export async function takeDirectory(directory: string): Promise<RunningProcess | null> {
  const { pid: file } = pathsOf(directory)
  const draft = `${file}.${process.pid}`
  await writeFile(draft, `${process.pid}\n${await identityOf(process.pid)}\n`)
  try {
    for (;;) {
      try {
        // Never half written, and one of two wins.
        await link(draft, file)
        return null
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      }
      const other = await runningProcess(directory)
      if (other) return other
      await rm(file, { force: true })
    }
  } finally {
    await rm(draft, { force: true })
  }
}

/** Gives the directory free. */
export async function releaseDirectory(directory: string): Promise<void> {
  await rm(pathsOf(directory).pid, { force: true })
}
