import { parseArgs } from 'node:util'

export const usage = `Usage: ./scripts/start [--detach] [--redis] [--workers <n>]

Runs all of Pushkeep on this machine: PostgreSQL, the simulator of APNs and FCM, token registry,
push sender and workers. Addresses and keys go to .pushkeep/local.json; Ctrl-C or ./scripts/stop
ends it.

  --detach       return once all is ready, and leave it running
  --redis        queues on Redis: REDIS_URL, or else a private redis-server
  --workers <n>  processes of workers (1)
  --help         this text

DATABASE_URL    a PostgreSQL to use in place of the embedded one
REDIS_URL       a Redis to use for the queues
LOG_LEVEL       how much the processes log to .pushkeep/logs (info)
`

export interface StartArguments {
  detach: boolean
  redis: boolean
  workers: number
  help: boolean
}

/** Reads the command line; throws what is wrong with it. */
export function parseStartArguments(args: string[]): StartArguments {
  const { values } = parseArgs({
    args,
    options: {
      detach: { type: 'boolean', default: false },
      redis: { type: 'boolean', default: false },
      workers: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (!/^([1-9]|[1-5][0-9]|6[0-4])$/.test(values.workers)) {
    throw new Error('--workers must be a number from 1 to 64')
  }
  return { ...values, workers: Number(values.workers) }
}
