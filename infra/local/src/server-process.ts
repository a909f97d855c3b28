import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { ServerUser } from './server-user.ts'

export interface ServerProgram {
  command: string
  args: string[]
  user?: ServerUser | undefined
  env?: Record<string, string>
  /** Ends it without waiting for its clients. */
  stopSignal: NodeJS.Signals
  /** Ends it where `stopSignal` did not within the deadline. */
  killSignal: NodeJS.Signals
  isReady: (line: string) => boolean
  /** Goes into the ready line. */
  ready?: Record<string, unknown>
}

const stopDeadlineMs = 15_000

/**
 * Runs a server that is not ours (PostgreSQL, Redis) by the contract of our own processes: prints
 * `{"ready":true,"pid":…}` once it works, passes its log on, stops it on SIGTERM and exits with 0.
 * When the server ends by itself, so does this process, with 1.
 */
export function runServer(program: ServerProgram): void {
  const server = spawn(program.command, program.args, {
    ...program.user,
    env: { PATH: process.env.PATH ?? '', ...program.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let isStopping = false
  stopOnSignals(() => {
    if (isStopping) return
    isStopping = true
    stopServer(server, program)
  })
  server.once('error', (error) => {
    console.error(`${program.command} did not start: ${error.message}`)
    process.exit(1)
  })
  server.once('close', (code, signal) => {
    if (isStopping) process.exit(0)
    console.error(`${program.command} ended with ${code ?? signal}`)
    process.exit(1)
  })
  let isReady = false
  for (const stream of [server.stdout, server.stderr]) {
    createInterface(stream).on('line', (line) => {
      console.log(line)
      if (isReady || !program.isReady(line)) return
      isReady = true
      console.log(JSON.stringify({ ready: true, pid: server.pid, ...program.ready }))
    })
  }
}

/** Runs `stop` on SIGTERM and SIGINT, in place of what was registered before. */
export function stopOnSignals(stop: () => void): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.removeAllListeners(signal)
    process.on(signal, stop)
  }
}

function stopServer(server: ChildProcess, program: ServerProgram): void {
  server.kill(program.stopSignal)
  setTimeout(() => server.kill(program.killSignal), stopDeadlineMs).unref()
}
