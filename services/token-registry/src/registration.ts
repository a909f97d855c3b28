import type { IncomingHttpHeaders } from 'node:http'
import {
  type Attributes,
  type DeviceAttributeChange,
  deviceAttributeChange,
  type FieldProblem,
  type PersonDeviceInput,
  tokenProblems,
} from '@pushkeep/domain'
import { type Caller, invalid } from '@pushkeep/runtime'
import type { App, Registered, Registration } from '@pushkeep/store'
import { deviceAnswer } from './answers.ts'
import type { IdentityGate } from './identity/gate.ts'
import { shownBy } from './identity/shown.ts'

/** What both ways to register send, whatever they call the token. */
type Input = Omit<PersonDeviceInput['device'], 'id'>

/** Where a request has the token and the other fields, for messages about them. */
export interface Places {
  token: string
  /** What stands before the name of each other field. */
  prefix: string
  /** What names the person. */
  person: string
}

export interface Sent {
  caller: Caller
  app: App
  token: string
  personId: string | null
  /** Whom the caller may speak for. */
  gate: IdentityGate
  headers: IncomingHttpHeaders
  input: Input
  places: Places
}

/** Makes one command of a request, whichever route it came by. */
export function registrationOf({
  caller,
  app,
  token,
  personId,
  gate,
  headers,
  input,
  places,
}: Sent): Registration {
  const problems = tokenProblems(places.token, input.platform, token)
  if (problems.length > 0) throw invalid(problems)
  if (personId !== null) gate.admit(personId)
  const { proof, shownHash } = shownBy(caller, gate, headers, input.installation_secret)
  return {
    workspaceNo: caller.workspaceNo,
    appNo: app.appNo,
    token,
    platform: input.platform,
    environment: input.environment ?? null,
    personId,
    installationId: input.installation_id ?? null,
    previousToken: input.previous_token ?? null,
    readerHash: shownHash,
    proof,
    mustProveTie: gate.isRequired,
    change: changeOf(input.attributes ?? {}, places),
    lastUsed: input.last_used ?? null,
    at: input.timestamp ?? null,
  }
}

function changeOf(attributes: Attributes, places: Places): DeviceAttributeChange {
  const result = deviceAttributeChange(attributes)
  switch (result.kind) {
    case 'change':
      return result.change
    case 'problem':
      throw invalid([placed(result.problem, places)])
  }
}

function placed({ path, message }: FieldProblem, { prefix }: Places): FieldProblem {
  return { path: prefix + path, message }
}

/** What is said of a registration. A public key is told nothing. */
export function registeredAnswer({ caller, token, app }: Sent, { applied, device }: Registered) {
  if (caller.kind === 'public') return {}
  return device
    ? { ...deviceAnswer(token, device, app.id), applied }
    : { id: token, applied: false as const }
}
