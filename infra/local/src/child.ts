import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

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
  /** Gives the start up: the process is asked to end. */
  signal?: AbortSignal
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

/** Loaded into each child: it ends when the process that started it is gone. */
const endWithParent = new URL('./end-with-parent.ts', import.meta.url).href

/** What was compiled once is kept: a child takes half of the CPU to start the next time. */
const compiled = fileURLToPath(new URL('../../../node_modules/.cache/pushkeep', import.meta.url))

/**
 * Starts a Node process and waits until it prints a JSON line with `"ready":true`. It runs in a
 * process group of its own: Ctrl-C reaches the parent alone, which stops its children in order.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const flags = ['--import', endWithParent, ...(options.nodeFlags ?? [])]
  const child = spawn(process.execPath, [...flags, options.file, ...(options.args ?? [])], {
    env: { NODE_COMPILE_CACHE: compiled, ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  const exited = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'))
    child.once('error', (error) => resolve(error.message))
  })
  const ready = await waitForReady(child, options, exited)
  return {
    name: options.name,
    pid: child.pid ?? 0,
    process: child,
    ready,
    exited,
    stop: (deadlineMs = 20_000) => end(child, exited, deadlineMs),
  }
}

async function end(
  child: ChildProcess,
  exited: Promise<unknown>,
  deadlineMs: number,
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
  await exited
  clearTimeout(timer)
}

/** Rejects only once the process is gone: what failed to start leaves nothing behind. */
async function waitForReady(
  child: ChildProcess,
  options: ChildOptions,
  exited: Promise<number | string>,
): Promise<Record<string, unknown>> {
  const { name, signal } = options
  const lines: string[] = []
  const outcome = await new Promise<Record<string, unknown> | string>((resolve) => {
    const timeoutMs = options.readyTimeoutMs ?? 60_000
    const timer = setTimeout(() => resolve('was not ready in time'), timeoutMs)
    const giveUp = () => resolve('was stopped before it was ready')
    signal?.addEventListener('abort', giveUp, { once: true })
    if (signal?.aborted) giveUp()
    void exited.then((code) => {
      clearTimeout(timer)
      resolve(`ended with ${code} before it was ready`)
    })
    const read = (line: string) => {
      lines.push(line)
      if (lines.length > 20) lines.shift()
      options.onLine?.(line)
      const message = line.includes('"ready":true') ? parse(line) : null
      if (!message) return
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
      resolve(message)
    }
    if (child.stdout) createInterface(child.stdout).on('line', read)
    if (child.stderr) createInterface(child.stderr).on('line', read)
  })
  if (typeof outcome !== 'string') return outcome
  await end(child, exited, 20_000)
  throw new Error([`${name} ${outcome}`, ...lines].join('\n'))
}

function parse(line: string): Record<string, unknown> | null {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
