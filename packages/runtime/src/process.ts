import { flushCompileCache } from 'node:module'
import { describeError, scrub } from './logger.ts'

/** A process that runs: what its ready line tells, and how it ends. */
export interface Running {
  /** Goes into the ready line; the address that it listens on, for example. */
  ready: Record<string, unknown>
  /** Stops taking work, finishes what was begun, closes what was opened. */
  stop: () => Promise<void>
}

export interface ProcessOptions {
  name: string
  start: () => Promise<Running>
  /** Longest wait for `stop`, in milliseconds. */
  stopTimeoutMs?: number
}

/**
 * Runs a main: starts it, prints one line `{"ready":true,…}` to stdout, and waits for SIGTERM or
 * SIGINT, upon which it drains and exits with 0. A second signal exits at once; what fails to start
 * or is thrown where nobody catches it exits with 1.
 */
export async function runProcess(options: ProcessOptions): Promise<void> {
  const { name, start, stopTimeoutMs = 15_000 } = options
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      console.error(JSON.stringify({ name, level: 'fatal', event, err: describeError(error) }))
      process.exit(1)
    })
  }
  const stopAsked = waitForSignal()
  let running: Running
  try {
    running = await start()
  } catch (error) {
    console.error(`${name} could not start: ${messageOf(error)}`)
    process.exit(1)
  }
  process.stdout.write(`${JSON.stringify({ ready: true, name, ...running.ready })}\n`)
  // Node writes what it compiled at the exit, which a process that is killed does not come to.
  flushCompileCache()
  await stopAsked
  process.exit((await stopInTime(running, stopTimeoutMs, name)) ? 0 : 1)
}

function waitForSignal(): Promise<void> {
  return new Promise((resolve) => {
    let isAsked = false
    const onSignal = () => {
      if (isAsked) process.exit(1)
      isAsked = true
      resolve()
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

async function stopInTime(running: Running, timeoutMs: number, name: string): Promise<boolean> {
  const timer = setTimeout(() => {
    console.error(`${name} did not stop within ${timeoutMs} ms`)
    process.exit(1)
  }, timeoutMs)
  try {
    await running.stop()
    return true
  } catch (error) {
    console.error(`${name} could not stop cleanly: ${messageOf(error)}`)
    return false
  } finally {
    clearTimeout(timer)
  }
}

/** Its own words and those of what caused it: PostgreSQL that is not there says so only in its parts. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  const parts = error instanceof AggregateError ? error.errors.map(messageOf) : []
  const cause = error.cause === undefined ? [] : [messageOf(error.cause)]
  return scrub([error.message, ...parts, ...cause].filter((text) => text !== '').join(': '))
}
