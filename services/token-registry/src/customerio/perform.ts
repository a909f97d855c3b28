import type { IncomingHttpHeaders } from 'node:http'
import { actorOf, type Caller, ProblemError, refusalOfAppKey } from '@pushkeep/runtime'
import type { App, Command, CommandVerdict, Receipt, ReceiptVerdict, Sent } from '@pushkeep/store'
import type { FastifyBaseLogger } from 'fastify'
import type { AppFinder } from '../apps.ts'
import { clientMessageOf } from '../client-message.ts'
import type { IdentityGate } from '../identity/gate.ts'
import { shownBy } from '../identity/shown.ts'
import { vouchedBy } from '../identity/vouched.ts'
import { registrationOf } from '../registration.ts'
import { noteLeft, withoutAttributes } from '../too-large.ts'
import type { Write, WriteLimits } from '../write-limits.ts'
import type { Action, Asked, IdentifyAction, RegisterDeviceAction } from './action.ts'
import { inWordsOf } from './device.ts'
import { type IdentityDeps, identityOf, personIdOf } from './identity.ts'
import { refusalOf } from './verdict.ts'

export interface PerformDeps extends IdentityDeps {
  apps: AppFinder
  run: (list: readonly Sent[]) => Promise<CommandVerdict[]>
  takeReceipt: (receipt: Receipt) => Promise<ReceiptVerdict>
}

/** Who calls, for which app, and for whom they may speak. */
export interface Call {
  caller: Caller
  /** The app that the call names. */
  appId: string | undefined
  gate: IdentityGate
  headers: IncomingHttpHeaders
  log: FastifyBaseLogger
  limits: WriteLimits
  /** Each item may be refused by a limit alone: the client is a backend that reads a verdict for each. */
  hasVerdicts?: boolean
}

/** What became of one action; `refused` says why it changed nothing. */
export type Performed = { kind: 'done' } | { kind: 'refused'; problem: ProblemError }

type Prepared =
  | { kind: 'command'; sent: Sent }
  | { kind: 'receipt'; receipt: Receipt }
  | { kind: 'nothing' }
  | { kind: 'refused'; problem: ProblemError }

/**
 * Makes commands of actions and runs them, in their order. Each has a verdict of its own, and what is
 * `done` is committed. Throws what is nobody's fault: then all may be sent again.
 */
export async function perform(
  deps: PerformDeps,
  call: Call,
  asked: readonly Asked[],
): Promise<Performed[]> {
  call.limits.spendItems(asked.length)
  const readied = await Promise.all(asked.map((one) => prepare(deps, call, one)))
  const prepared = limited(call, readied)
  const commands = prepared.flatMap((one) => (one.kind === 'command' ? [one.sent] : []))
  const receipts = prepared.map((one) =>
    one.kind === 'receipt' ? deps.takeReceipt(one.receipt) : null,
  )
  const [verdicts] = await Promise.all([
    commands.length === 0 ? [] : deps.run(commands),
    Promise.all(receipts),
  ])
  await runFitting(deps, call, commands, verdicts)
  const rest = verdicts.values()
  return prepared.map((one): Performed => {
    if (one.kind === 'refused') return one
    const problem =
      one.kind === 'command' ? refusalOf(call, one.sent.command, rest.next().value) : null
    return problem ? { kind: 'refused', problem } : { kind: 'done' }
  })
}

/** Registers the tokens of public keys whose attributes are too large with those stored, without them. */
async function runFitting(
  deps: PerformDeps,
  { caller, log }: Call,
  commands: readonly Sent[],
  verdicts: readonly CommandVerdict[],
): Promise<void> {
  if (caller.kind === 'secret' || !verdicts.includes('too_large')) return
  noteLeft(log)
  const tokens = commands.flatMap(({ command, message }, n): Sent[] => {
    if (verdicts[n] !== 'too_large' || command.kind !== 'register-device') return []
    return [{ command: { ...command, call: withoutAttributes(command.call) }, message }]
  })
  if (tokens.length > 0) await deps.run(tokens)
}

/**
 * Spends for what commands write. Where a limit is reached all is refused, before anything is done: a
 * phone keeps its queue upon 429, and drops what a 200 does not name.
 */
function limited(
  { limits, hasVerdicts }: Call,
  prepared: readonly Prepared[],
): readonly Prepared[] {
  if (!hasVerdicts) {
    const problem = limits.spend(prepared.flatMap(writesOf))
    if (problem) throw problem
    return prepared
  }
  return prepared.map((one) => {
    const problem = limits.spend(writesOf(one))
    return problem ? { kind: 'refused', problem } : one
  })
}

function writesOf(prepared: Prepared): Write[] {
  if (prepared.kind !== 'command') return []
  const { command } = prepared.sent
  switch (command.kind) {
    case 'identify':
      return [{ personId: command.call.id, token: null, isEvent: false }]
    case 'event':
      return [{ personId: command.event.personId, token: null, isEvent: true }]
    case 'register-device':
    case 'delete-device':
      return [{ personId: command.call.personId, token: command.call.token, isEvent: false }]
    case 'describe-nobody':
    case 'delete-person':
    case 'erase-person':
    case 'unsuppress-person':
    case 'merge-people':
      return []
  }
}

/** Of an action that stands alone: throws why it was refused. */
export async function performOne(deps: PerformDeps, call: Call, action: Action): Promise<void> {
  const [performed] = await perform(deps, call, [{ action, clientMessageId: null }])
  if (performed?.kind === 'refused') throw performed.problem
}

async function prepare(
  deps: PerformDeps,
  call: Call,
  { action, clientMessageId }: Asked,
): Promise<Prepared> {
  const { workspaceNo } = call.caller
  try {
    if (action.kind === 'metric') {
      const { messageId, token, event, at } = action
      const { appNo } = call.caller
      return { kind: 'receipt', receipt: { workspaceNo, appNo, messageId, token, event, at } }
    }
    const command = await commandOf(deps, call, action, clientMessageId)
    if (!command) return { kind: 'nothing' }
    const message =
      clientMessageId === null ? null : clientMessageOf(call.caller, command, clientMessageId)
    return { kind: 'command', sent: { command, message, actor: actorOf(call.caller) } }
  } catch (error) {
    if (!isRefusal(error)) throw error
    return { kind: 'refused', problem: error }
  }
}

/** Whether a problem is the call's own, so that repeating it would not help. */
export function isRefusal(error: unknown): error is ProblemError {
  return error instanceof ProblemError && error.statusCode < 500
}

async function commandOf(
  deps: PerformDeps,
  call: Call,
  action: Exclude<Action, { kind: 'metric' }>,
  clientMessageId: string | null,
): Promise<Command | null> {
  const { workspaceNo } = call.caller
  switch (action.kind) {
    case 'nothing':
      return null
    case 'identify':
      return identifyCommand(deps, call, action)
    case 'describe-nobody': {
      const { anonymousId, attributes } = action
      const provenIds = provenFor(call)
      return { kind: 'describe-nobody', call: { workspaceNo, anonymousId, attributes, provenIds } }
    }
    case 'event': {
      const { person, anonymousId, type, name, properties, at } = action
      const personId = person && (await personIdOf(deps, call, person))
      if (person && personId === null) return null
      if (personId !== null) call.gate.admit(personId)
      const isVouched = personId !== null && call.gate.proves(personId)
      const what = { type, name, properties, at, messageId: clientMessageId, isVouched }
      const who = { workspaceNo, personId, anonymousId, provenIds: provenFor(call) }
      return { kind: 'event', event: { ...who, ...what } }
    }
    case 'register-device':
      return registerCommand(deps, call, action)
    case 'delete-device': {
      const { person, token, at, secret } = action
      const app = await appOf(deps, call, token)
      const personId = person && (await personIdOf(deps, call, person))
      if (!app || (person && personId === null)) return null
      const shown = shownBy(call.caller, call.gate, call.headers, secret)
      return { kind: 'delete-device', call: { appNo: app.appNo, token, personId, at, ...shown } }
    }
    case 'delete-person':
    case 'suppress':
    case 'unsuppress': {
      admitWholePerson(call)
      const id = await personIdOf(deps, call, action.person)
      return id === null ? null : { kind: commandKind[action.kind], person: { workspaceNo, id } }
    }
    case 'merge': {
      admitWholePerson(call)
      const primary = await personIdOf(deps, call, action.primary)
      const secondary = await personIdOf(deps, call, action.secondary)
      if (primary === null || secondary === null) return null
      return { kind: 'merge-people', merge: { workspaceNo, primary, secondary } }
    }
  }
}

/** Whom a call proves, where it has to prove the owner of an anonymous id to speak for them. */
function provenFor({ gate }: Call): readonly string[] | undefined {
  return gate.isRequired ? gate.provenIds : undefined
}

/** What becomes of a person as a whole reaches their devices of every app. */
function admitWholePerson({ caller }: Call): void {
  const refusal = refusalOfAppKey(caller)
  if (refusal) throw refusal
}

/** Customer.io's suppression deletes the profile and ignores what comes after it. */
const commandKind = {
  'delete-person': 'delete-person',
  suppress: 'erase-person',
  unsuppress: 'unsuppress-person',
} as const

async function identifyCommand(
  deps: PerformDeps,
  call: Call,
  action: IdentifyAction,
): Promise<Command | null> {
  const { caller, gate } = call
  const identity = await identityOf(deps, call, action)
  if (!identity) return null
  const { id, email } = identity
  gate.admit(id)
  const { anonymousId, at, isUpdateOnly } = action
  const given = email === null ? action.attributes : { email, ...action.attributes }
  const said = vouchedBy(caller, gate, id, given)
  const { workspaceNo } = caller
  return {
    kind: 'identify',
    call: { workspaceNo, id, ...said, anonymousId, at, isUpdateOnly },
  }
}

async function registerCommand(
  deps: PerformDeps,
  call: Call,
  { person, token, input, names }: RegisterDeviceAction,
): Promise<Command | null> {
  const { caller, appId, gate, headers } = call
  const app = await deps.apps.toRegister(caller, appId, 'site_id')
  const personId = person && (await personIdOf(deps, call, person))
  if (person && personId === null) return null
  const places = { token: 'id', prefix: '', person: 'identifiers' }
  const registration = inWordsOf(names, () =>
    registrationOf({ caller, app, token, personId, gate, headers, input, places }),
  )
  return { kind: 'register-device', call: { ...registration, isAnonymous: person === null } }
}

/**
 * The app that a deletion is about: the only one that it can be, or where the token stands. A public key is
 * not told where a token stands.
 */
async function appOf(
  { apps }: PerformDeps,
  { caller, appId }: Call,
  token: string,
): Promise<App | null> {
  if (caller.kind === 'public') return apps.toRegister(caller, appId, 'site_id')
  return (await apps.only(caller, appId, 'site_id')) ?? apps.ofToken(caller, appId, token)
}
