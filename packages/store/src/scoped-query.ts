import pg from 'pg'
import { settingOf, workspacesSetting } from './tenancy.ts'

const statement = 'pushkeep-workspaces'
const statementText = `select set_config('${workspacesSetting}', $1, true)`

/** Sessions that have the statement prepared. */
const prepared = new WeakSet<pg.ClientBase>()

/**
 * Runs one query for some workspaces, in one round trip: both statements go out before one Sync, which
 * makes them one transaction (PostgreSQL, "Extended Query"). The setting is local to it: nothing of it is
 * left on the session, also where the query fails.
 */
export async function queryScoped<Row extends pg.QueryResultRow>(
  client: pg.ClientBase,
  workspaceNos: readonly number[],
  query: pg.QueryConfig | string,
  values?: unknown[],
): Promise<pg.QueryResult<Row>> {
  const setting = settingOf(workspaceNos)
  if (!prepared.has(client)) {
    await client.query({ name: statement, text: statementText, values: [''] })
    prepared.add(client)
  }
  const config = typeof query === 'string' ? { text: query } : query
  return new Promise((resolve, reject) => {
    const inner = new pg.Query<Row>(
      extended({ ...config, values: values ?? config.values ?? [] }),
      (error: Error | undefined | null, result: pg.QueryResult<Row>) => {
        if (error) reject(withStackOf(error))
        else resolve(result)
      },
    )
    if (!isDriverQuery(inner)) throw new Error('pg.Query is not what it was')
    client.query(new ScopedQuery(setting, inner))
  })
}

/** A query without values would go by the simple protocol, which the types leave out, too. */
function extended(config: pg.QueryConfig): pg.QueryConfig & { queryMode: 'extended' } {
  return { ...config, queryMode: 'extended' }
}

/** Its stack would begin in the driver's socket: it is to begin where the query was made. */
function withStackOf(error: Error): Error {
  Error.captureStackTrace(error, withStackOf)
  return error
}

/** What the driver's client calls of a query; its types name `submit` alone. */
interface DriverQuery extends pg.Submittable {
  readonly name?: string | undefined
  readonly text: string
  handleRowDescription(message: unknown): void
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, connection: pg.Connection): void
  handleEmptyQuery(connection: pg.Connection): void
  handlePortalSuspended(connection: pg.Connection): void
  handleCopyInResponse(connection: pg.Connection): void
  handleCopyData(message: unknown, connection: pg.Connection): void
  handleReadyForQuery(connection: pg.Connection): void
  handleError(error: Error, connection: pg.Connection): void
}

function isDriverQuery(query: object): query is DriverQuery {
  return 'handleDataRow' in query && 'handleReadyForQuery' in query && 'submit' in query
}

/** Sends the setting ahead of the query, and keeps its answer from it. */
class ScopedQuery implements DriverQuery {
  readonly #setting: string
  readonly #inner: DriverQuery
  #isSet = false

  constructor(setting: string, inner: DriverQuery) {
    this.#setting = setting
    this.#inner = inner
  }

  get name() {
    return this.#inner.name
  }

  get text() {
    return this.#inner.text
  }

  submit(connection: pg.Connection) {
    connection.stream.cork()
    try {
      connection.bind({ portal: '', statement, values: [this.#setting] }, true)
      connection.execute({ portal: '', rows: '0' }, true)
      return this.#inner.submit(connection)
    } finally {
      connection.stream.uncork()
    }
  }

  handleRowDescription(message: unknown) {
    this.#inner.handleRowDescription(message)
  }

  handleDataRow(message: unknown) {
    if (this.#isSet) this.#inner.handleDataRow(message)
  }

  handleCommandComplete(message: unknown, connection: pg.Connection) {
    if (this.#isSet) this.#inner.handleCommandComplete(message, connection)
    else this.#isSet = true
  }

  handleEmptyQuery(connection: pg.Connection) {
    this.#inner.handleEmptyQuery(connection)
  }

  handlePortalSuspended(connection: pg.Connection) {
    this.#inner.handlePortalSuspended(connection)
  }

  handleCopyInResponse(connection: pg.Connection) {
    this.#inner.handleCopyInResponse(connection)
  }

  handleCopyData(message: unknown, connection: pg.Connection) {
    this.#inner.handleCopyData(message, connection)
  }

  handleReadyForQuery(connection: pg.Connection) {
    this.#inner.handleReadyForQuery(connection)
  }

  handleError(error: Error, connection: pg.Connection) {
    this.#inner.handleError(error, connection)
  }
}
