import { PeopleFound, PeopleSearch, Person, Why } from '@pushkeep/console-api'
import { isCleanText, KnownPersonId, tokenProblem } from '@pushkeep/domain'
import { callerOf, notFound } from '@pushkeep/runtime'
import {
  type Database,
  findNumberedPerson,
  findPeopleByEmail,
  findPeopleByPrefix,
  findPeopleByToken,
  lastDeliveries,
  standingDevices,
  traceMessage,
  workersNow,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { visibleMessage } from '../../visible-message.ts'
import { deviceBody, laneOf, traceBody } from '../device-view.ts'
import { titleOf } from '../message-view.ts'
import { readStandings } from '../provider-health.ts'
import { type Scope, scopeOf } from '../scope.ts'
import { createViewLog } from '../views.ts'

export interface PeopleRoutesDeps {
  database: Database
  now: () => number
}

const peopleShown = 25
const deliveriesShown = 50

const config = { access: 'session' } as const
const hide = true
const PersonParams = z.object({ id: KnownPersonId })

/** People: who they are, and why they did or did not get a push. */
export const peopleRoutes: FastifyPluginAsyncZod<PeopleRoutesDeps> = async (
  app,
  { database, now },
) => {
  const noteView = createViewLog(database, now)

  // A search is no change; it is a POST so that what is looked for stands in no URL.
  app.post(
    '/ops/api/people/search',
    {
      config: { ...config, role: 'read' },
      schema: { hide, body: PeopleSearch, response: { 200: PeopleFound } },
    },
    async (request) => {
      const text = request.body.text.trim()
      const scope = await scopeOf(database, request)
      if (!isCleanText(text)) return { people: [], is_cut: false }
      const found = await search(database, scope, text)
      const people = found.slice(0, peopleShown).map(({ updatedAt, ...person }) => ({
        ...person,
        updated_at: updatedAt.toISOString(),
      }))
      return { people, is_cut: found.length > peopleShown }
    },
  )

  app.get(
    '/ops/api/people/:id',
    { config, schema: { hide, params: PersonParams, response: { 200: Person } } },
    async (request) => {
      const scope = await scopeOf(database, request)
      const person = await knownPerson(database, scope, request.params.id)
      await noteView(callerOf(request), person.personNo)
      return readPerson(database, scope, person, now())
    },
  )

  app.get(
    '/ops/api/people/:id/why/:message',
    {
      config,
      schema: {
        hide,
        params: PersonParams.extend({ message: z.string() }),
        response: { 200: Why },
      },
    },
    async (request) => {
      const scope = await scopeOf(database, request)
      const person = await knownPerson(database, scope, request.params.id)
      const message = await visibleMessage(database, scope, request.params.message)
      const devices = await standingDevices(database, { ...person, appNos: scope.appNos })
      const traces = []
      for (const device of devices) {
        const trace = await traceMessage(database, message, device, person)
        const { appId: app_id, fingerprint } = device
        traces.push({ app_id, fingerprint, trace: traceBody(trace) })
      }
      return {
        message: {
          id: message.id,
          title: titleOf(message),
          created_at: message.createdAt.toISOString(),
          state: message.state,
        },
        devices: traces,
      }
    },
  )
}

/** By token where the text can be one; by the beginning of an id, or else of an e-mail address. */
async function search(database: Database, { workspaceNo, appNos }: Scope, text: string) {
  const isToken = !tokenProblem('ios', text) || !tokenProblem('android', text)
  if (isToken) {
    const owners = await findPeopleByToken(database, { appNos, token: text })
    if (owners.length > 0) return owners
  }
  const beginning = { workspaceNo, prefix: text, limit: peopleShown + 1 }
  const byId = await findPeopleByPrefix(database, beginning)
  return byId.length > 0 || text === '' ? byId : findPeopleByEmail(database, beginning)
}

async function knownPerson(database: Database, { workspaceNo }: Scope, id: string) {
  const person = await findNumberedPerson(database, { workspaceNo, id })
  if (!person) throw notFound('unknown_person', 'there is no person with this id')
  return person
}

async function readPerson(
  database: Database,
  scope: Scope,
  person: Awaited<ReturnType<typeof knownPerson>>,
  now: number,
): Promise<Person> {
  const { appNos } = scope
  const workers = await workersNow(database, appNos)
  const [devices, deliveries, standings] = await Promise.all([
    standingDevices(database, { ...person, appNos }),
    lastDeliveries(database, { ...person, appNos, limit: deliveriesShown }),
    readStandings(database, appNos, workers, now),
  ])
  return {
    id: person.id,
    attributes: person.attributes,
    suppressed: person.suppressed,
    created_at: person.createdAt.toISOString(),
    updated_at: person.updatedAt.toISOString(),
    devices: devices.map((device) =>
      deviceBody(device, laneOf(device, standings, workers.alive), person.suppressed),
    ),
    deliveries: deliveries.map(({ messageId, at, ...delivery }) => ({
      ...delivery,
      message_id: messageId,
      at: at.toISOString(),
    })),
  }
}
