import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { type Child, type ChildOptions, startChild } from './child.ts'
import { freePort } from './ports.ts'

export interface LocalPostgres extends Child {
  port: number
  /** Connection URL of a database of this server. */
  url(database: string): string
}

export interface LocalPostgresOptions {
  /** Where its data stays. */
  directory: string
  password: string
  /** Wanted port; another one is taken where it is in use. */
  port?: number
  /** Server settings, `name=value`. */
  settings?: string[]
}

/** Starts the embedded PostgreSQL in a process of its own and waits until it answers. */
export async function startPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const port = await freePort(options.port)
  const child = await startChild(postgresChild({ ...options, port }))
  return { ...child, port, url: (database) => postgresUrl({ ...options, port }, database) }
}

type Server = LocalPostgresOptions & { port: number }

/** How the embedded PostgreSQL is run. */
export function postgresChild({ directory, port, password, settings = [] }: Server): ChildOptions {
  return {
    name: 'postgres',
    file: fileURLToPath(new URL('./postgres-process.ts', import.meta.url)),
    args: [
      ...['--directory', directory, '--port', String(port)],
      ...settings.flatMap((setting) => ['--set', setting]),
    ],
    env: { PGPASSWORD: password },
    // The first start makes the data directory.
    readyTimeoutMs: 120_000,
  }
}

/** Connection URL of a database of this server. */
export function postgresUrl(
  { password, port }: { password: string; port: number },
  database: string,
): string {
  return `postgres://pushkeep:${password}@127.0.0.1:${port}/${database}`
}

/** A password that needs no escaping in a URL or a configuration file. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url')
}
