import { vi } from 'vitest'
import { runCli } from '../src/cli/run.ts'
import type { Ran } from './processes.ts'

/** Runs a command in this process: a dozen of them would take half a minute to start. */
export async function pushkeepIn(
  args: string[],
  env: Record<string, string | undefined>,
): Promise<Ran> {
  const out: string[] = []
  const err: string[] = []
  const into = (lines: string[]) => (text: string | Uint8Array) => lines.push(String(text)) > 0
  const spies = [
    // Where the parser prints its help.
    vi.spyOn(process.stdout, 'write').mockImplementation(into(out)),
    vi.spyOn(process.stderr, 'write').mockImplementation(into(err)),
    vi.spyOn(console, 'log').mockImplementation((line) => void out.push(`${line}\n`)),
    vi.spyOn(console, 'error').mockImplementation((line) => void err.push(`${line}\n`)),
  ]
  try {
    const code = await runCli(args, env)
    return { code, out: out.join(''), err: err.join('') }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
