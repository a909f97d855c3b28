import {
  AttributesInput,
  ClientTime,
  deviceAttributeChange,
  type FieldProblem,
  PersonId,
  RegisterDeviceInput,
  TokenInput,
  tokenProblems,
} from '@pushkeep/domain'
import { check } from '@pushkeep/runtime/validation'
import { type ImportRow, type Standing, secretKeyProof } from '@pushkeep/store'
import { z } from 'zod'

/** Where lines are imported to. */
export interface Target {
  workspaceNo: number
  /** Numbers of the workspace's apps, by their ids. */
  apps: ReadonlyMap<string, number>
  /** The app of lines that name none; null: each has to. */
  defaultAppNo: number | null
  /** Ids of apps as the file has them, and as they are here. */
  renamed: ReadonlyMap<string, string>
  /** The time of lines that tell none, ms since the epoch. */
  asOf: number
}

const PersonLine = z.strictObject({
  type: z.literal('person').optional(),
  id: PersonId,
  attributes: AttributesInput.optional(),
  suppressed: z.boolean().optional(),
})

const StandingInput = z.strictObject({
  last_status: z.enum(['', 'sent', 'bounced', 'suppressed']),
  status_at: ClientTime.optional(),
  failures: z.int().min(0).max(2).default(0),
  dead_at: ClientTime.optional(),
  dead_reason: z.string().max(100).optional(),
})

const DeviceLine = z.strictObject({
  ...RegisterDeviceInput.shape,
  type: z.literal('device').optional(),
  token: TokenInput,
  registered_at: ClientTime.optional(),
  standing: StandingInput.optional(),
  person_attributes: AttributesInput.optional(),
})

export type Parsed = { kind: 'row'; row: ImportRow } | { kind: 'invalid'; errors: FieldProblem[] }

/** Checks one line by the rules of registering and identifying, and makes a row of it. */
export function parseLine(value: unknown, target: Target): Parsed {
  return isDevice(value) ? parseDevice(value, target) : parsePerson(value, target)
}

function isDevice(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return 'type' in value ? value.type === 'device' : 'token' in value
}

function parsePerson(value: unknown, { workspaceNo }: Target): Parsed {
  const checked = check(PersonLine, value, 'line')
  if (checked.kind === 'invalid') return checked
  const { id, attributes = {}, suppressed = false } = checked.value
  const person = { id, attributes, suppressed }
  return { kind: 'row', row: { workspaceNo, person, device: null, standing: null } }
}

function parseDevice(value: unknown, target: Target): Parsed {
  const checked = check(DeviceLine, value, 'line')
  if (checked.kind === 'invalid') return checked
  const line = checked.value
  const { token, platform, person_id: personId = null } = line
  const change = deviceAttributeChange(line.attributes ?? {})
  const app = appOf(line.app_id, target)
  const errors = [
    ...tokenProblems('token', platform, token),
    ...(change.kind === 'problem' ? [change.problem] : []),
    ...(typeof app === 'number' ? [] : [{ path: 'app_id', message: app }]),
    ...(line.person_attributes && personId === null
      ? [{ path: 'person_attributes', message: 'need a person_id' }]
      : []),
  ]
  if (errors.length > 0 || change.kind === 'problem' || typeof app !== 'number') {
    return { kind: 'invalid', errors }
  }
  const { workspaceNo } = target
  const person =
    line.person_attributes && personId !== null
      ? { id: personId, attributes: line.person_attributes, suppressed: false }
      : null
  const device = {
    workspaceNo,
    appNo: app,
    token,
    platform,
    environment: line.environment ?? null,
    personId,
    installationId: line.installation_id ?? null,
    previousToken: line.previous_token ?? null,
    readerHash: null,
    proof: secretKeyProof,
    change: change.change,
    lastUsed: line.last_used ?? null,
    at: timeOf(line, target),
  }
  return { kind: 'row', row: { workspaceNo, person, device, standing: standingOf(line) } }
}

/** The app's number, or what is wrong with the one that is named. */
function appOf(id: string | undefined, { apps, defaultAppNo, renamed }: Target): number | string {
  if (id === undefined) {
    return defaultAppNo ?? 'must be given: the workspace has several apps (or say --app)'
  }
  return apps.get(renamed.get(id) ?? id) ?? 'is not an app of this workspace (see --map-app)'
}

/** When the line was true: an older one loses against what is here (R1). */
function timeOf(line: z.output<typeof DeviceLine>, { asOf }: Target): number {
  const used = line.last_used === undefined ? undefined : line.last_used * 1000
  return line.timestamp ?? used ?? asOf
}

function standingOf({ standing, registered_at }: z.output<typeof DeviceLine>): Standing | null {
  if (!standing && registered_at === undefined) return null
  return {
    registeredAt: registered_at ?? null,
    lastStatus: standing?.last_status ?? '',
    statusAt: standing?.status_at ?? null,
    failures: standing?.failures ?? 0,
    deadAt: standing?.dead_at ?? null,
    deadReason: standing?.dead_reason ?? null,
  }
}
