import { escapeControls } from '@pushkeep/domain'
import { parseStartArguments, type StartArguments, usage } from './arguments.ts'
import { startDetached } from './detach.ts'
import { localDirectory, pathsOf, prepareDirectory } from './directory.ts'
import { isWorthShowing, openLogs } from './logs.ts'
import { releaseDirectory, runningProcess, takeDirectory } from './pid-file.ts'
import { endLeftovers } from './processes.ts'
import { startLocal } from './start-local.ts'
import { tableOf } from './table.ts'

async function main(): Promise<number> {
  let args: StartArguments
  try {
    args = parseStartArguments(process.argv.slice(2))
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    return 2
  }
  if (args.help) {
    console.log(usage)
    return 0
  }
  const directory = localDirectory(process.env)
  await prepareDirectory(directory)
  if (args.detach) {
    const other = await runningProcess(directory)
    return other ? alreadyRuns(other.pid) : startDetached(directory, process.argv.slice(2))
  }
  const other = await takeDirectory(directory)
  if (other) return alreadyRuns(other.pid)
  try {
    return await run(directory, args)
  } finally {
    await releaseDirectory(directory)
  }
}

function alreadyRuns(pid: number): number {
  console.error(`Pushkeep runs already (process ${pid}): ./scripts/stop ends it.`)
  return 1
}

async function run(directory: string, args: StartArguments): Promise<number> {
  const stopAsked = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stopAsked.abort())
  }
  // Whoever read our output may be gone: that is no reason to end.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  const leftovers = await endLeftovers(directory)
  if (leftovers.length > 0)
    console.log(`Ended what an earlier run has left: ${leftovers.join(', ')}.`)
  const logs = await openLogs(pathsOf(directory).logs)
  console.log('Starting Pushkeep...')
  // What fails to start is told with its last lines.
  let isUp = false
  try {
    const local = await startLocal({
      directory,
      databaseUrl: process.env.DATABASE_URL || undefined,
      redisUrl: process.env.REDIS_URL || undefined,
      encryptionKey: process.env.PUSHKEEP_ENCRYPTION_KEY || undefined,
      withRedis: args.redis,
      workers: args.workers,
      ports: 'usual',
      logLevel: process.env.LOG_LEVEL || 'info',
      signal: stopAsked.signal,
      onNews: (news) => console.error(news),
      onLine(name, line) {
        logs.write(name, line)
        if (isUp && isWorthShowing(name, line)) console.error(`[${name}] ${escapeControls(line)}`)
      },
    })
    isUp = true
    console.log(tableOf(local, directory))
    console.log('ready')
    if (!stopAsked.signal.aborted) {
      await new Promise((resolve) => stopAsked.signal.addEventListener('abort', resolve))
    }
    console.log('Stopping...')
    await local.stop()
    console.log('Pushkeep is stopped.')
    return 0
  } catch (error) {
    if (stopAsked.signal.aborted) {
      console.log('Stopped before it was ready.')
      return 0
    }
    console.error(`Pushkeep did not start: ${error instanceof Error ? error.message : error}`)
    return 1
  } finally {
    await logs.close()
  }
}

process.exitCode = await main()
