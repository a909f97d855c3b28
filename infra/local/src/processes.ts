import { rm } from 'node:fs/promises'
import { z } from 'zod'
import { pathsOf, readJson, writePrivateJson } from './directory.ts'
import { identityOf, waitUntilGone } from './identity.ts'

/** A process that we started, so that a later run can end it should we be killed. */
const Recorded = z.object({
  name: z.string(),
  pid: z.number(),
  /** Tells it from a later process with the same pid. */
  identity: z.string(),
})

type Recorded = z.infer<typeof Recorded>

/** Writes down which processes run, in the order in which they have to end. */
export async function recordProcesses(
  directory: string,
  running: { name: string; pid: number }[],
): Promise<void> {
  const recorded: Recorded[] = []
  for (const { name, pid } of running) {
    const identity = await identityOf(pid)
    if (identity !== null) recorded.push({ name, pid, identity })
  }
  await writePrivateJson(pathsOf(directory).processes, recorded)
}

/** Forgets them: all are down. */
export async function forgetProcesses(directory: string): Promise<void> {
  await rm(pathsOf(directory).processes, { force: true })
}

/** Ends what a run that was killed has left, and nothing else. Returns their names. */
export async function endLeftovers(directory: string): Promise<string[]> {
  const recorded = z.array(Recorded).safeParse(await readJson(pathsOf(directory).processes))
  const ended: string[] = []
  for (const { name, pid, identity } of recorded.data ?? []) {
    if ((await identityOf(pid)) !== identity) continue
    ended.push(name)
    await endProcess(pid, identity)
  }
  await forgetProcesses(directory)
  return [...new Set(ended)]
}

// SIGINT: PostgreSQL would wait for its clients on SIGTERM; all others take both alike.
async function endProcess(pid: number, identity: string): Promise<void> {
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
    if (await waitUntilGone(pid, identity, 20_000)) return
  }
}
