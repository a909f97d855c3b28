import { type Identifier, personNoOf } from '@pushkeep/domain'
import { type Caller, invalid, refusalOfAppKey } from '@pushkeep/runtime'
import { type PersonReference, personIdNamed } from '@pushkeep/store'
import type { IdentifyAction } from './action.ts'

export interface IdentityDeps {
  findPersonId: (reference: PersonReference) => Promise<string | null>
  /** Gives a person another id; false where it is somebody's. */
  renamePerson: (workspaceNo: number, from: string, to: string) => Promise<boolean>
}

/** The id of whoever a text names, which may be of nobody yet; null: nobody. */
export function personIdOf(
  { findPersonId }: IdentityDeps,
  { workspaceNo }: Caller,
  person: Identifier,
): Promise<string | null> {
  return personIdNamed(findPersonId, workspaceNo, person)
}

/** Whom an identification is about, and the address that it gives them by naming them so. */
export interface Identity {
  id: string
  email: string | null
}

/**
 * Whom an identification is about. Who was known by an address alone gets the id that comes with it;
 * else an id that is set changes under `cio_…` alone, as with Customer.io. Only a secret key may
 * change one.
 */
export async function identityOf(
  deps: IdentityDeps,
  caller: Caller,
  { person, id, attributes }: IdentifyAction,
): Promise<Identity | null> {
  const { workspaceNo } = caller
  if (person.by === 'id') {
    if (id !== null && id !== person.id) throw otherId()
    const email = caller.kind === 'secret' ? attributes.email : null
    if (typeof email === 'string') await adopt(deps, workspaceNo, email, person.id)
    return { id: person.id, email: null }
  }
  const found = await findNamed(deps, workspaceNo, person)
  if (person.by === 'cio-id') {
    if (found === null) return null
    if (id !== null && id !== found) {
      const refusal = caller.kind === 'secret' ? refusalOfAppKey(caller) : null
      if (refusal) throw refusal
      await rename(deps, caller, found, id)
    }
    return { id: id ?? found, email: null }
  }
  const { email } = person
  if (found === null) return { id: id ?? email, email }
  if (id !== null && id !== found) {
    if (found.toLowerCase() !== email.toLowerCase()) throw otherId()
    await rename(deps, caller, found, id)
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
  return personNo === null ? null : findPersonId({ workspaceNo, by: 'person-no', personNo })
}

/** Whoever was known by this address alone is this person. */
async function adopt(
  { findPersonId, renamePerson }: IdentityDeps,
  workspaceNo: number,
  email: string,
  id: string,
): Promise<void> {
  const from = await findPersonId({ workspaceNo, by: 'address-alone', email, unlessId: id })
  if (from !== null) await renamePerson(workspaceNo, from, id)
}

async function rename(
  { renamePerson }: IdentityDeps,
  caller: Caller,
  from: string,
  to: string,
): Promise<void> {
  const isDone = caller.kind === 'secret' && (await renamePerson(caller.workspaceNo, from, to))
  if (!isDone) throw invalid([{ path: 'id', message: 'is the id of somebody else' }])
}

function otherId() {
  const message = "is not the person's; name them as cio_<cio_id> to change their id"
  return invalid([{ path: 'id', message }])
}
