import { fileURLToPath } from 'node:url'
import { type Child, startChild } from './child.ts'
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
  const child = await startChild({
    name: 'postgres',
    file: fileURLToPath(new URL('./postgres-process.ts', import.meta.url)),
    args: [
      '--directory',
      options.directory,
      '--port',
      String(port),
      ...(options.settings ?? []).flatMap((setting) => ['--set', setting]),
    ],
    env: { PGPASSWORD: options.password },
  })
  return {
    ...child,
    port,
    url: (database) => `postgres://pushkeep:${options.password}@127.0.0.1:${port}/${database}`,
  }
}
