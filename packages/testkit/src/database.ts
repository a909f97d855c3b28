import { randomBytes } from 'node:crypto'
import { connect, type Database } from '@pushkeep/store'
import { inject } from 'vitest'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string
    /** A migrated database of that server, which others are copied from. */
    postgresTemplate: string
    /** null where neither a Docker engine nor a `redis-server` is to be had. */
    redisUrl: string | null
  }
}

export interface TestDatabase extends AsyncDisposable {
  url: string
  database: Database
}

/** A fresh, migrated database of its own; dropped when it is disposed of. */
export async function createTestDatabase(connectionsMax = 10): Promise<TestDatabase> {
  const server = connect({ url: inject('postgresUrl'), name: 'testkit', connectionsMax: 1 })
  const name = `test_${randomBytes(6).toString('hex')}`
  await server.query(`create database ${name} template ${inject('postgresTemplate')}`)
  const url = new URL(inject('postgresUrl'))
  url.pathname = `/${name}`
  const database = connect({ url: url.href, name: 'test', connectionsMax })
  return {
    url: url.href,
    database,
    async [Symbol.asyncDispose]() {
      await database.end()
      await server.query(`drop database ${name} with (force)`)
      await server.end()
    },
  }
}
