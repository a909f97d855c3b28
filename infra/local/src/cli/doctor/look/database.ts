import {
  type AccessState,
  accessState,
  type Database,
  type SchemaState,
  type ServerState,
  schemaState,
  serverState,
} from '@pushkeep/store'
import { failureOf } from '../../failure.ts'
import type { DatabaseSeen } from '../judge/database.ts'

/** Asks PostgreSQL about itself and our schema. */
export async function lookAtDatabase(database: Database, address: string): Promise<DatabaseSeen> {
  let server: ServerState
  let schema: SchemaState
  let skewMs: number
  let access: AccessState | null
  try {
    await database.query('select 1')
    // On a connection that is open, so that what opening one takes is not read as a wrong clock.
    const before = Date.now()
    server = await serverState(database)
    skewMs = server.now - (before + Date.now()) / 2
    schema = await schemaState(database)
    access = schema.applied === 0 ? null : await accessState(database)
  } catch (error) {
    return { kind: 'failed', reason: failureOf(error).message }
  }
  return { kind: 'seen', address, server, schema, skewMs, access }
}
