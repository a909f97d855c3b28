import type { AccessState, SchemaState, ServerState } from '@pushkeep/store'
import { counted, type Finding, ok, problem, warning } from '../finding.ts'
import { judgeClock } from './clock.ts'

/** What was seen of PostgreSQL; `failed` says why nothing was. */
export type DatabaseSeen =
  | { kind: 'failed'; reason: string }
  | {
      kind: 'seen'
      /** Host and port. */
      address: string
      server: ServerState
      schema: SchemaState
      /** How far its clock is ahead of this machine's. */
      skewMs: number
      /** null: there are no tables yet. */
      access: AccessState | null
    }

const oldestVersion = 16

export function judgeDatabase(seen: DatabaseSeen): Finding[] {
  if (seen.kind === 'failed') {
    return [problem('database', seen.reason, 'see that DATABASE_URL is right and PostgreSQL runs')]
  }
  const { address, server, schema, skewMs, access } = seen
  return [
    judgeServer(server, address),
    judgeSchema(schema),
    ...(access ? [judgeRoles(access)] : []),
    judgeConnections(server.connections),
    judgeClock('PostgreSQL', skewMs),
  ]
}

function judgeServer({ version, majorVersion, isReplica }: ServerState, address: string): Finding {
  const said = `PostgreSQL ${version} at ${address}`
  if (isReplica) {
    return problem('database', `${said} is a standby`, 'name the primary in DATABASE_URL')
  }
  return majorVersion < oldestVersion
    ? problem('database', said, `upgrade it to PostgreSQL ${oldestVersion} or newer`)
    : ok('database', said)
}

function judgeSchema({ applied, missing, unknown }: SchemaState): Finding {
  if (missing.length > 0) {
    const said = `${counted(missing.length, 'migration')} missing, from ${missing[0]} on`
    return problem('schema', said, 'run pushkeep migrate')
  }
  return unknown.length > 0
    ? warning('schema', `newer than this program: ${unknown.at(-1)}`, 'upgrade what is older')
    : ok('schema', `up to date: ${counted(applied, 'migration')}`)
}

function judgeRoles({ missingGroups, mighty }: AccessState): Finding {
  const todo = 'give each program a role: pushkeep database roles (docs/operations.md)'
  const [first] = mighty
  if (missingGroups.length > 0) {
    return warning('roles', `the server has no ${missingGroups.join(', ')}`, todo)
  }
  return first
    ? warning('roles', `${first.program} connects as ${first.role}, which owns the tables`, todo)
    : ok('roles', 'no program that runs owns the tables')
}

/** Fewer than that, and the next process that starts may find none. */
const fewConnections = 5

function judgeConnections({ used, max }: ServerState['connections']): Finding {
  const left = Math.max(0, max - used)
  const said = `${used} of ${max} in use`
  const todo =
    'raise max_connections or lower DATABASE_CONNECTIONS (docs/runbooks/connections-exhausted.md)'
  if (left < fewConnections) return problem('connections', said, todo)
  return left < max / 10 ? warning('connections', said, todo) : ok('connections', said)
}
