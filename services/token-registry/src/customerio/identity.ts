import { type Identifier, personNoOf } from '@pushkeep/domain'
import { type Caller, invalid, ProblemError, refusalOfAppKey } from '@pushkeep/runtime'
import { type PersonReference, personIdNamed } from '@pushkeep/store'
import type { IdentityGate } from '../identity/gate.ts'
import type { IdentifyAction } from './action.ts'
import { needsSecretKey } from './refusal.ts'

export interface IdentityDeps {
  findPersonId: (reference: PersonReference) => Promise<string | null>
  /** Gives a person another id; false where it is the id of another one. */
  renamePerson: (workspaceNo: number, from: string, to: string) => Promise<boolean>
}

/** Who names a person, and what they may see of people. */
export interface Namer {
  caller: Caller
  gate: IdentityGate
}

/** The id of the person whom a text names, who may not be there yet; null: nobody. */
export function personIdOf(
  deps: IdentityDeps,
  namer: Namer,
  person: Identifier,
): Promise<string | null> | string {
  const { workspaceNo, kind } = namer.caller
  return kind === 'public'
    ? idSaid(deps, namer, person)
    : personIdNamed(deps.findPersonId, workspaceNo, person)
}

/**
 * The id that a public key means. What it is answered must not tell who is there: it cannot count people
 * by their numbers, and where identity tokens are required an address is looked up by nobody: it is the
 * id itself, which a token has to name.
 */
function idSaid(
  { findPersonId }: IdentityDeps,
  { caller, gate }: Namer,
  person: Identifier,
): Promise<string | null> | string {
  if (person.by === 'cio-id') {
    // A backend has signed that this is the id of its own person.
    if (person.text !== undefined && gate.proves(person.text)) return person.text
    throw needsSecretKey('naming a person by cio_id')
  }
  if (person.by === 'id') return person.id
  if (gate.isRequired) return person.email
  // That several people have the address is more than it is told, too.
  return personIdNamed(findPersonId, caller.workspaceNo, person).catch((error: unknown) => {
    if (!(error instanceof ProblemError) || error.statusCode >= 500) throw error
    return person.email
  })
}

/** Whom an identification is about, and the address that it gives them by naming them so. */
export interface Identity {
  id: string
  email: string | null
}

/** Whom an identification is about; null: nobody, and nobody can be made of it. */
export function identityOf(
  deps: IdentityDeps,
  namer: Namer,
  action: IdentifyAction,
): Promise<Identity | null> {
  const { person, id } = action
  if (person.by === 'id' && id !== null && id !== person.id) throw otherId()
  return namer.caller.kind === 'public'
    ? identitySaid(deps, namer, action)
    : identityKnown(deps, namer.caller, action)
}

/** By a public key: an id in the body counts more than an address, whosever that is. */
async function identitySaid(
  deps: IdentityDeps,
  namer: Namer,
  { person, id }: IdentifyAction,
): Promise<Identity | null> {
  if (person.by !== 'email') {
    const said = await idSaid(deps, namer, person)
    return said === null ? null : { id: said, email: null }
  }
  const said = id ?? (await idSaid(deps, namer, person)) ?? person.email
  return { id: said, email: id !== null || said === person.email ? person.email : null }
}

/**
 * By a secret key. A person who was known by an address alone gets the id that comes with it; else an id
 * that is set changes under `cio_…` alone, as with Customer.io.
 */
async function identityKnown(
  deps: IdentityDeps,
  caller: Caller,
  { person, id, attributes }: IdentifyAction,
): Promise<Identity | null> {
  const { workspaceNo } = caller
  if (person.by === 'id') {
    const { email } = attributes
    if (typeof email === 'string') await adopt(deps, workspaceNo, email, person.id)
    return { id: person.id, email: null }
  }
  const found = await findNamed(deps, workspaceNo, person)
  if (person.by === 'cio-id') {
    if (found === null) return null
    if (id !== null && id !== found) {
      if (found === person.text) throw otherId()
      const refusal = refusalOfAppKey(caller)
      if (refusal) throw refusal
      await rename(deps, workspaceNo, found, id)
    }
    return { id: id ?? found, email: null }
  }
  const { email } = person
  if (found === null) return { id: id ?? email, email }
  if (id !== null && id !== found) {
    if (found.toLowerCase() !== email.toLowerCase()) throw otherId()
    if (!(await isAdopted(deps, workspaceNo, email, id))) return { id, email }
  }
  return { id: id ?? found, email: null }
}

function findNamed(
  { findPersonId }: IdentityDeps,
  workspaceNo: number,
  person: Exclude<Identifier, { by: 'id' }>,
): Promise<string | null> | null {
  if (person.by === 'email') return findPersonId({ workspaceNo, by: 'email', email: person.email })
  const personNo = personNoOf(person.cioId)
  const orId = person.text
  return personNo === null ? null : findPersonId({ workspaceNo, by: 'person-no', personNo, orId })
}

/** The person who was known by this address alone is this one. */
async function adopt(
  { findPersonId, renamePerson }: IdentityDeps,
  workspaceNo: number,
  email: string,
  id: string,
): Promise<void> {
  const from = await findPersonId({ workspaceNo, by: 'address-alone', email, unlessId: id })
  if (from !== null) await renamePerson(workspaceNo, from, id)
}

/**
 * Gives the person who is known by this address alone the id that comes with it. False where a public key
 * alone has made them: then the id is another person's, who has the address from now on.
 */
async function isAdopted(
  deps: IdentityDeps,
  workspaceNo: number,
  email: string,
  id: string,
): Promise<boolean> {
  const there = await deps.findPersonId({ workspaceNo, by: 'id', id })
  if (there !== null) throw takenId()
  const from = await deps.findPersonId({ workspaceNo, by: 'address-alone', email, unlessId: id })
  if (from === null) return false
  await rename(deps, workspaceNo, from, id)
  return true
}

async function rename(
  { renamePerson }: IdentityDeps,
  workspaceNo: number,
  from: string,
  to: string,
): Promise<void> {
  if (await renamePerson(workspaceNo, from, to)) return
  throw takenId()
}

function takenId() {
  return invalid([{ path: 'id', message: 'is the id of another person' }])
}

function otherId() {
  const message = "is not the person's; name them as cio_<cio_id> to change their id"
  return invalid([{ path: 'id', message }])
}
