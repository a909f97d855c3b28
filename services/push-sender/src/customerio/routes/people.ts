import { cleanText, KnownPersonId } from '@pushkeep/domain'
import { type Caller, callerOf, notFound } from '@pushkeep/runtime'
import {
  namesOfPerson,
  type PersonNames,
  type PersonReference,
  peopleWithEmail,
  personIdNamed,
  readProfiles,
  type Sql,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { IdType, KnownIdText, personAt } from '../identifiers.ts'
import { namesAnswer, PersonNamesAnswer, ProfileAnswer, profileAnswer } from '../profile-answer.ts'
import { refusals } from '../scope.ts'

export interface PeopleDeps {
  database: Sql
  findPersonId: (reference: PersonReference) => Promise<string | null>
  /** Left out of the OpenAPI document. */
  hide: boolean
}

export const PersonParams = z.object({ id: KnownPersonId })

/** Most people in one call. */
const peopleMax = 100

const tags = ['app api']
const secret = { access: 'secret' } as const

const attributesSchema = {
  summary: "A person's attributes and devices",
  description: '`id_type` says what the id of the path is. All values are text.',
  tags,
  params: PersonParams,
  querystring: z.strictObject({ id_type: IdType }),
  response: {
    200: z.object({ customer: ProfileAnswer }),
    ...refusals(400, 401, 403, 404, 414, 429, 503),
  },
}

const severalSchema = {
  summary: 'Attributes and devices of several people',
  description: 'Unknown ids are left out.',
  tags,
  body: z.strictObject({ ids: z.array(KnownIdText).min(1).max(peopleMax) }),
  response: {
    200: z.object({ customers: z.array(ProfileAnswer) }),
    ...refusals(400, 401, 403, 413, 415, 429, 503),
  },
}

const byEmailSchema = {
  summary: 'People with an e-mail address',
  description: 'In whatever letter case; at most 100, the oldest first.',
  tags,
  querystring: z.strictObject({ email: cleanText(254) }),
  response: {
    200: z.object({ results: z.array(PersonNamesAnswer) }),
    ...refusals(400, 401, 403, 429, 503),
  },
}

const segmentsSchema = {
  summary: 'Segments of a person',
  description: 'None: Pushkeep keeps no segments.',
  tags,
  params: PersonParams,
  querystring: z.strictObject({ id_type: IdType }),
  response: {
    200: z.object({ segments: z.array(z.never()) }),
    ...refusals(400, 401, 403, 404, 414, 429, 503),
  },
}

/** People as Customer.io's clients read them. */
export const peopleRoutes: FastifyPluginAsyncZod<PeopleDeps> = async (app, deps) => {
  const { database, hide } = deps

  app.get(
    '/customers/:id/attributes',
    { config: secret, schema: { ...attributesSchema, hide } },
    async (request) => {
      const caller = callerOf(request)
      const { workspaceNo, appNo } = caller
      const { id } = await personOf(deps, caller, request.params.id, request.query.id_type)
      const [profile] = await readProfiles(database, { workspaceNo, appNo, ids: [id] })
      if (!profile) throw unknownPerson()
      return { customer: profileAnswer(profile) }
    },
  )

  app.post(
    '/customers/attributes',
    { config: { access: 'secret', role: 'read' }, schema: { ...severalSchema, hide } },
    async (request) => {
      const { workspaceNo, appNo } = callerOf(request)
      const profiles = await readProfiles(database, { workspaceNo, appNo, ids: request.body.ids })
      return { customers: profiles.map(profileAnswer) }
    },
  )

  app.get('/customers', { config: secret, schema: { ...byEmailSchema, hide } }, async (request) => {
    const { workspaceNo } = callerOf(request)
    const { email } = request.query
    return { results: (await peopleWithEmail(database, { workspaceNo, email })).map(namesAnswer) }
  })

  app.get(
    '/customers/:id/segments',
    { config: secret, schema: { ...segmentsSchema, hide } },
    async (request) => {
      await personOf(deps, callerOf(request), request.params.id, request.query.id_type)
      return { segments: [] }
    },
  )
}

/** The person whom a path names. */
export async function personOf(
  { database, findPersonId }: Pick<PeopleDeps, 'database' | 'findPersonId'>,
  { workspaceNo }: Caller,
  text: string,
  idType: z.infer<typeof IdType>,
): Promise<PersonNames> {
  const id = await personIdNamed(findPersonId, workspaceNo, personAt(text, idType))
  const person = id === null ? null : await namesOfPerson(database, { workspaceNo, id })
  if (!person) throw unknownPerson()
  return person
}

function unknownPerson() {
  return notFound('unknown_person', 'there is no such customer')
}
