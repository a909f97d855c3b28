import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** Starts the program; it ends with the test. */
export function spawnSender(env: Record<string, string>) {
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  createInterface(child.stdout).on('line', (line) => lines.push(line))
  createInterface(child.stderr).on('line', (line) => lines.push(line))
  return { child, lines, exited: once(child, 'exit') }
}

/** What the program says of itself once it serves. */
export async function readyLine(
  lines: readonly string[],
): Promise<{ name: string; url: string; operations_url: string }> {
  const find = () => lines.find((line) => line.includes('"ready":true'))
  await expect.poll(find, { timeout: 20_000 }).toBeDefined()
  return JSON.parse(find() ?? '')
}
