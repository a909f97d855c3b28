import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openPlace } from './open-place.ts'
import { endOrphan } from './postgres-orphan.ts'
import { postgresPrograms } from './postgres-programs.ts'
import { runServer, stopOnSignals } from './server-process.ts'
import { type ServerUser, serverUser } from './server-user.ts'

/**
 * A process of its own around the embedded PostgreSQL, so that Ctrl-C in the terminal reaches the
 * services first and the database last, and the database ends with us even after a `kill -9`.
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

const ownSettings = [
  'listen_addresses=127.0.0.1',
  // No Unix socket: those live in a folder that all users of the machine share.
  'unix_socket_directories=',
  // Details and statements of errors repeat the data: no token belongs in a log.
  'log_error_verbosity=terse',
  'log_min_error_statement=panic',
  'shared_buffers=256MB',
]

async function main(): Promise<void> {
  const { port } = values
  const password = process.env.PGPASSWORD
  if (!values.directory || !port || !password) {
    throw new Error('it needs --directory, --port and PGPASSWORD in the environment')
  }
  const user = await serverUser()
  const wanted = { data: values.directory, programs: postgresPrograms() }
  const { data: directory, programs } = user ? await openPlace(wanted, user) : wanted
  await endOrphan(directory)
  if (!existsSync(join(directory, 'PG_VERSION'))) {
    await initialise(join(programs, 'bin/initdb'), { directory, password, user })
  }
  runServer({
    command: join(programs, 'bin/postgres'),
    args: [
      '-D',
      directory,
      '-p',
      port,
      ...[...ownSettings, ...values.set].flatMap((setting) => ['-c', setting]),
    ],
    user,
    env: { LC_ALL: 'C' },
    // Fast: open transactions are rolled back. Immediate: recovered from the log at the next start.
    stopSignal: 'SIGINT',
    killSignal: 'SIGQUIT',
    isReady: (line) => line.includes('database system is ready to accept connections'),
    ready: { data_directory: directory },
  })
}

interface Cluster {
  directory: string
  password: string
  user: ServerUser | undefined
}

/** Made beside its place and moved there when it is whole: a first start may be interrupted. */
async function initialise(initdb: string, { directory, password, user }: Cluster): Promise<void> {
  const fresh = `${directory}.new`
  const passwordFile = `${directory}.password`
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { recursive: true })
  await chmod(fresh, 0o700)
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  if (user) {
    for (const path of [fresh, passwordFile]) await chown(path, user.uid, user.gid)
  }
  try {
    await runInitdb(initdb, [`--pgdata=${fresh}`, `--pwfile=${passwordFile}`], user)
  } finally {
    await rm(passwordFile, { force: true })
  }
  await rm(directory, { recursive: true, force: true })
  await rename(fresh, directory)
}

const initFlags = ['--username=pushkeep', '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C']

async function runInitdb(
  initdb: string,
  args: string[],
  user: ServerUser | undefined,
): Promise<void> {
  const child = spawn(initdb, [...initFlags, ...args], {
    ...user,
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  stopOnSignals(() => child.kill('SIGTERM'))
  const code = await new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => resolve(code ?? signal))
    child.once('error', reject)
  })
  if (code !== 0) throw new Error(`initdb ended with ${code}`)
}

main().catch((error: unknown) => {
  console.error(`PostgreSQL did not start: ${error instanceof Error ? error.message : error}`)
  process.exit(1)
})
