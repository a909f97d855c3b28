import type { DatabaseProgram } from './roles.ts'

/**
 * How a row of a table is tied to a workspace: by its number; by an app's; by a message's or a device's,
 * whose own policy decides.
 */
type Tie = 'workspace' | 'app' | 'message' | 'device'

/** Tables whose rows the registry and the push sender see for the workspaces of their statement alone. */
export const tenantTables: Readonly<Record<string, Tie>> = {
  workspaces: 'workspace',
  apps: 'workspace',
  people: 'workspace',
  messages: 'workspace',
  idempotency_keys: 'workspace',
  person_events: 'workspace',
  anonymous_ids: 'workspace',
  client_messages: 'workspace',
  audit_log: 'workspace',
  accepted_minutes: 'workspace',
  erasures: 'workspace',
  api_keys: 'workspace',
  devices: 'app',
  former_devices: 'app',
  app_providers: 'app',
  identity_keys: 'app',
  chunks: 'app',
  bounce_minutes: 'app',
  provider_minutes: 'app',
  doubts: 'app',
  bounced_people: 'app',
  lane_trials: 'app',
  device_counts: 'app',
  credential_tasks: 'app',
  message_counts: 'message',
  deliveries: 'message',
  receipts: 'message',
  receipt_counts: 'message',
  early_receipts: 'message',
  message_progress: 'message',
  message_reasons: 'message',
  unbalanced_messages: 'message',
  device_events: 'device',
}

/** Tables without such a policy, and why. `closed` ones are not granted to registry or sender at all. */
export const tablesWithoutPolicy: Readonly<Record<string, string>> = {
  migrations: 'names of migrations',
  access_state: 'a digest of grants.sql',
  console_sessions: 'found by the hash of a secret, before anybody knows whose it is',
  key_uses: 'ids of keys with times, written for the keys of many workspaces at once',
  rate_buckets: 'hashes with numbers, written for the callers of many workspaces at once',
  outbox: 'numbers of messages, written in the statement that stores the message; read by workers',
  worker_reports: 'processes of the installation; breakers are filtered by app where they are read',
  device_counts_state: 'when devices were last counted',
  credential_boxes: 'one public key of the installation',
  books_position: 'closed',
  books_later: 'closed',
}

/** Tables whose rows these may read before it is known for whom: keys are found by their hash. */
const readBeforehand = new Set(['api_keys'])

/** Programs that work for one caller at a time. */
export const tenantPrograms: readonly DatabaseProgram[] = ['registry', 'sender']

/** Programs that work for the whole installation: no row is hidden from them. */
export const wholePrograms: readonly DatabaseProgram[] = ['workers', 'admin']

/** One policy, as `create policy` takes it. */
export interface Policy {
  command: 'all' | 'select' | 'insert' | 'update' | 'delete'
  /** Rows that are there. */
  using: string | null
  /** Rows that are written. */
  check: string | null
}

// A sub-select without a reference to the row is evaluated once a statement. No setting, no rows. `+ 0` keeps
// the planner from an index on the workspace or the app: while tables are young it would take that one for as
// good as the one that the statement was written for, and statements keep their plans (0023).
const workspaceNos = `((select string_to_array(current_setting('pushkeep.workspaces', true), ',')::int[])::int[])`
const appNos = `array(select a.app_no from apps a where a.workspace_no = any ${workspaceNos})`

// As a range: an equality could be answered from a hash of all parents, which reads them all.
const isSame = (parent: string, own: string) => `${parent} between ${own} and ${own}`

/** The policies of a table for the programs that work for callers. */
export function policiesOf(table: string, tie: Tie): Policy[] {
  switch (tie) {
    case 'workspace':
      return rowPolicies(table, `workspace_no + 0 = any ${workspaceNos}`)
    case 'app':
      return [same('all', `app_no + 0 = any (${appNos})`)]
    case 'message':
      return throughParent(
        `exists (select from messages m where ${isSame(`m.message_no`, `${table}.message_no`)})`,
      )
    case 'device':
      return throughParent(
        `exists (select from devices d
          where d.app_no = any (${appNos}) and ${isSame('d.device_no', `${table}.device_no`)})`,
      )
  }
}

function rowPolicies(table: string, condition: string): Policy[] {
  if (!readBeforehand.has(table)) return [same('all', condition)]
  return [
    { command: 'select', using: 'true', check: null },
    { command: 'insert', using: null, check: condition },
    same('update', condition),
    { command: 'delete', using: condition, check: null },
  ]
}

/**
 * Rows that are written come with their parent, often in the same statement, which does not see it yet:
 * what is inserted is checked on the parent alone.
 */
function throughParent(condition: string): Policy[] {
  return [
    { command: 'select', using: condition, check: null },
    { command: 'insert', using: null, check: 'true' },
    { command: 'update', using: condition, check: 'true' },
    { command: 'delete', using: condition, check: null },
  ]
}

function same(command: 'all' | 'update', condition: string): Policy {
  return { command, using: condition, check: condition }
}
