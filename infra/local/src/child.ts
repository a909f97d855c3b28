import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface ChildOptions {
  name: string
  /** Path of the `.ts` file to run. */
  file: string
  args?: string[]
  nodeFlags?: string[]
  env?: Record<string, string>
  /** Longest wait for the `ready` line, in milliseconds. */
  readyTimeoutMs?: number
  onLine?: (line: string) => void
}

export interface Child {
  name: string
  pid: number
  process: ChildProcess
  /** What its ready line said. */
  ready: Record<string, unknown>
  /** Resolves with the exit code, or the signal's name. */
  exited: Promise<number | string>
  /** Asks it to end and waits; a child that does not within `deadlineMs` is killed. */
  stop(deadlineMs?: number): Promise<void>
}

/**
 * Starts a Node process and waits until it prints a JSON line with `"ready":true`. It runs in a
 * process group of its own: Ctrl-C reaches the parent alone, which stops its children in order.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const child = spawn(
    process.execPath,
    [...(options.nodeFlags ?? []), options.file, ...(options.args ?? [])],
    {
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    },
  )
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  })
  const lines: string[] = []
  const ready = await waitForReady(child, options, exited, lines)
  return {
    name: options.name,
    pid: child.pid ?? 0,
    process: child,
    ready,
    exited,
    async stop(deadlineMs = 20_000) {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
      await exited
      clearTimeout(timer)
    },
  }
}

function waitForReady(
  child: ChildProcess,
  options: ChildOptions,
  exited: Promise<number | string>,
  lines: string[],
): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      child.kill('SIGKILL')
      reject(new Error(`${options.name} ${why}\n${lines.slice(-20).join('\n')}`))
    }
    const timer = setTimeout(() => fail('was not ready in time'), options.readyTimeoutMs ?? 60_000)
    void exited.then((code) => fail(`ended with ${code} before it was ready`))
    child.once('error', (error) => fail(error.message))
    const read = (line: string) => {
      lines.push(line)
      if (lines.length > 100) lines.shift()
      options.onLine?.(line)
      const message = line.includes('"ready":true') ? parse(line) : null
      if (!message) return
      clearTimeout(timer)
      resolve(message)
    }
    if (child.stdout) createInterface(child.stdout).on('line', read)
    if (child.stderr) createInterface(child.stderr).on('line', read)
  })
}

function parse(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
