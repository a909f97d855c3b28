import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { identityOf } from '../src/identity.ts'

/** The path of a file beside the tests. */
export const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** What a command printed, and how it ended. */
export interface Ran {
  code: number | null
  out: string
  err: string
}

/** Runs a `.ts` file until it ends. */
export async function runFile(
  file: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [file, ...args], { env: { ...process.env, ...env } })
  const [out, err] = [collect(child, 'stdout'), collect(child, 'stderr')]
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, out: out(), err: err() }
}

/** Gathers what a process prints; ask again for what has come since. */
export function collect(child: ChildProcess, stream: 'stdout' | 'stderr'): () => string {
  let text = ''
  child[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return () => text
}

/** Whether a process with this pid runs. */
export async function isAlive(pid: number): Promise<boolean> {
  return (await identityOf(pid)) !== null
}

/** A folder that goes when it is disposed of. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'pushkeep-local-'))
  // As root, PostgreSQL runs as a user of its own, who has to get through to its data.
  await chmod(path, 0o711)
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
