import { IdentifyInput } from '@pushkeep/domain'
import { actorOf, callerOf, notFound, problemResponses } from '@pushkeep/runtime'
import {
  changeAudited,
  type Database,
  deletePerson,
  devicesOfPerson,
  erasePerson,
  findPerson,
  type Identification,
  type Person,
  suppressPerson,
  unsuppressPerson,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { publicKeys, secretKeys, workspaceKeys } from '../access.ts'
import {
  EmptyAnswer,
  PersonAnswer,
  PersonWithDevicesAnswer,
  personAnswer,
  personWithDevicesAnswer,
} from '../answers.ts'
import type { OpenGate } from '../identity/gate.ts'
import { IdentityHeaders } from '../identity/token-header.ts'
import { vouchedBy } from '../identity/vouched.ts'
import { EmptyBody, KnownPersonParams, PersonParams, SuppressBody } from '../requests.ts'
import { leaveTooLarge, refuseTooLarge } from '../too-large.ts'
import { limitWrite } from '../write-limits.ts'

export interface PeopleRoutesDeps {
  database: Database
  identify: (call: Identification) => Promise<Person>
  openGate: OpenGate
}

const tags = ['people']

const unknownPerson = () => notFound('unknown_person', 'there is no such person')

const identifySchema = {
  tags,
  summary: 'Identify a person',
  description:
    'Adds the person or merges attributes by top-level key: only the keys sent change, `null` or `""` removes a key.',
  params: PersonParams,
  headers: IdentityHeaders,
  body: IdentifyInput.optional(),
  response: {
    200: z.union([PersonAnswer, EmptyAnswer]),
    ...problemResponses(400, 401, 403, 413, 415, 422, 429, 503),
  },
}

const readSchema = {
  tags,
  summary: 'Read a person and their devices',
  description:
    'At most 100 devices, the one used last first. A key for one app sees the devices of that app.',
  params: KnownPersonParams,
  response: { 200: PersonWithDevicesAnswer, ...problemResponses(401, 403, 404, 422, 429, 503) },
}

const deleteSchema = {
  tags,
  summary: 'Delete a person',
  description:
    'Erases the person and their devices with tokens and attributes. What remains of a device is a hash, so that a late registration does not revive it. 404 where there is no such person; a key for one app gets 403.',
  params: KnownPersonParams,
  body: EmptyBody,
  response: {
    204: z.undefined().describe('Deleted'),
    ...problemResponses(400, 401, 403, 404, 413, 415, 422, 429, 503),
  },
}

const suppressSchema = {
  tags,
  summary: 'Suppress a person',
  description:
    'Nothing is sent to a suppressed person. One who is not known yet is created suppressed, and stays so when identified. With `erase`, what is known of them goes, and later calls about them are taken and change nothing, until they are unsuppressed. A key for one app gets 403.',
  params: PersonParams,
  body: SuppressBody,
  response: { 200: PersonAnswer, ...problemResponses(400, 401, 403, 413, 415, 422, 429, 503) },
}

const unsuppressSchema = {
  tags,
  summary: "End a person's suppression",
  description:
    'What was erased does not come back. 404 where there is no such person; a key for one app gets 403.',
  params: KnownPersonParams,
  body: EmptyBody,
  response: { 200: PersonAnswer, ...problemResponses(400, 401, 403, 404, 413, 415, 422, 429, 503) },
}

/** People: identify, read, suppress, delete. */
export const peopleRoutes: FastifyPluginAsyncZod<PeopleRoutesDeps> = async (
  server,
  { database, identify, openGate },
) => {
  server.put('/v1/people/:id', { config: publicKeys, schema: identifySchema }, async (request) => {
    const caller = callerOf(request)
    const { workspaceNo, kind } = caller
    const { id } = request.params
    const gate = await openGate(caller, request.headers, null)
    const { isProven } = gate.admit(id)
    limitWrite(request, caller, gate, { personId: id })
    const said = vouchedBy(caller, gate, id, request.body?.attributes ?? {})
    const call = { workspaceNo, id, ...said }
    const tooLarge = isProven ? refuseTooLarge('attributes') : leaveTooLarge(request.log)
    const person = await identify(call).catch(tooLarge)
    return kind === 'public' || person === null ? {} : personAnswer(person)
  })

  server.get('/v1/people/:id', { config: secretKeys, schema: readSchema }, async (request) => {
    const { workspaceNo, appNo } = callerOf(request)
    const name = { workspaceNo, id: request.params.id }
    const person = await findPerson(database, name)
    if (!person) throw unknownPerson()
    return personWithDevicesAnswer(person, await devicesOfPerson(database, { ...name, appNo }))
  })

  server.delete(
    '/v1/people/:id',
    { config: workspaceKeys, schema: deleteSchema },
    async (request, reply) => {
      const caller = callerOf(request)
      const name = { workspaceNo: caller.workspaceNo, id: request.params.id }
      const isDeleted = await deletePerson(database, name, actorOf(caller))
      if (!isDeleted) throw unknownPerson()
      return reply.code(204).send()
    },
  )

  server.post(
    '/v1/people/:id/suppress',
    { config: workspaceKeys, schema: suppressSchema },
    async (request) => {
      const caller = callerOf(request)
      const name = { workspaceNo: caller.workspaceNo, id: request.params.id }
      const actor = actorOf(caller)
      if (request.body?.erase) return personAnswer(await erasePerson(database, name, actor))
      const suppressed = await changeAudited(database, actor, 'person.suppress', (sql) =>
        suppressPerson(sql, name),
      )
      if (!suppressed) throw unknownPerson()
      return personAnswer(suppressed)
    },
  )

  server.post(
    '/v1/people/:id/unsuppress',
    { config: workspaceKeys, schema: unsuppressSchema },
    async (request) => {
      const caller = callerOf(request)
      const name = { workspaceNo: caller.workspaceNo, id: request.params.id }
      const person = await changeAudited(database, actorOf(caller), 'person.unsuppress', (sql) =>
        unsuppressPerson(sql, name),
      )
      if (!person) throw unknownPerson()
      return personAnswer(person)
    },
  )
}
