import { type ChildProcess, spawn } from 'node:child_process'
import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { pathsOf } from './directory.ts'

/**
 * Starts the run in the background, its output in `start.log`, and shows that output until it is
 * ready or has failed. Returns the exit code.
 */
export async function startDetached(directory: string, args: string[]): Promise<number> {
  const log = pathsOf(directory).startLog
  const output = await open(log, 'w', 0o600)
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  const child = spawn(process.execPath, [main, ...args.filter((arg) => arg !== '--detach')], {
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => child.kill('SIGTERM'))
  }
  const input = await open(log, 'r')
  try {
    return await follow(child, input)
  } finally {
    child.unref()
    await Promise.all([output.close(), input.close()])
  }
}

async function follow(child: ChildProcess, log: FileHandle): Promise<number> {
  const ended = new Promise<true>((resolve) => {
    child.once('exit', () => resolve(true))
    child.once('error', () => resolve(true))
  })
  let shown = ''
  for (;;) {
    const hasEnded = await Promise.race([ended, wait(50, false)])
    const { buffer, bytesRead } = await log.read()
    const text = buffer.toString('utf8', 0, bytesRead)
    process.stdout.write(text)
    shown += text
    if (/^ready$/m.test(shown)) return 0
    if (hasEnded && bytesRead === 0) return child.exitCode || 1
  }
}
