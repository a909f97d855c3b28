import { PersonDeviceInput } from '@pushkeep/domain'
import { callerOf, noteRequest, problemResponses } from '@pushkeep/runtime'
import {
  type Database,
  type Registered,
  type Registration,
  tokenFingerprint,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { publicKeys } from '../access.ts'
import { ChangedDeviceAnswer, EmptyAnswer, GoneDeviceAnswer } from '../answers.ts'
import type { AppFinder } from '../apps.ts'
import { deleteByToken } from '../deletion.ts'
import type { OpenGate } from '../identity/gate.ts'
import { shownBy } from '../identity/shown.ts'
import { DeviceHeaders } from '../identity/token-header.ts'
import { registeredAnswer, registrationOf } from '../registration.ts'
import { ChangeQuery, DeleteBody, PersonParams, PersonTokenParams } from '../requests.ts'
import { registerFitting } from '../too-large.ts'
import { limitWrite } from '../write-limits.ts'

export interface PersonDeviceRoutesDeps {
  database: Database
  apps: AppFinder
  register: (call: Registration) => Promise<Registered>
  openGate: OpenGate
}

const tags = ['people']

const places = { token: 'device.id', prefix: 'device.', person: 'id' }

const registerSchema = {
  tags,
  summary: 'Register a device of a person',
  description:
    'The same as `PUT /v1/devices/{token}` with `person_id`. Creates the person where there is none; takes the token from the person who had it. A person who has as many devices as one may have, all in use, is a 422 `too_many_devices`.',
  params: PersonParams,
  headers: DeviceHeaders,
  body: PersonDeviceInput,
  response: {
    200: z.union([ChangedDeviceAnswer, GoneDeviceAnswer, EmptyAnswer]),
    ...problemResponses(400, 401, 403, 413, 415, 422, 429, 503),
  },
}

const deleteSchema = {
  tags,
  summary: 'Delete a device of a person',
  description:
    'Only if it belongs to that person; 404 where it does not. A call that is late by its timestamp changes nothing and answers 200 with the present device. A public key always gets 204; where a secret of its installation is on record, it deletes only if it shows that secret, or an identity token of the person.',
  params: PersonTokenParams,
  querystring: ChangeQuery,
  headers: DeviceHeaders,
  body: DeleteBody,
  response: {
    200: ChangedDeviceAnswer,
    204: z.undefined().describe('Deleted'),
    ...problemResponses(400, 401, 404, 413, 414, 415, 422, 429, 503),
  },
}

/** Devices by their person, as Customer.io's clients have them. */
export const personDeviceRoutes: FastifyPluginAsyncZod<PersonDeviceRoutesDeps> = async (
  server,
  deps,
) => {
  const { apps, register, openGate } = deps

  server.put(
    '/v1/people/:id/devices',
    { config: publicKeys, schema: registerSchema },
    async (request) => {
      const caller = callerOf(request)
      const { id: token, ...input } = request.body.device
      const app = await apps.toRegister(caller, input.app_id, `${places.prefix}app_id`)
      const gate = await openGate(caller, request.headers, app.appNo)
      const sent = {
        caller,
        app,
        token,
        personId: request.params.id,
        gate,
        headers: request.headers,
        input,
        places,
      }
      const call = registrationOf(sent)
      limitWrite(request, caller, gate, { personId: request.params.id, token })
      noteRequest(request, { device: tokenFingerprint(token) })
      const registered = await registerFitting(register, caller, call, places, request.log)
      return registeredAnswer(sent, registered)
    },
  )

  server.delete(
    '/v1/people/:id/devices/:token',
    { config: publicKeys, schema: deleteSchema },
    async (request, reply) => {
      const caller = callerOf(request)
      const gate = await openGate(caller, request.headers, null)
      limitWrite(request, caller, gate, { token: request.params.token })
      const present = await deleteByToken(deps, {
        caller,
        shown: shownBy(caller, gate, request.headers),
        appId: request.query.app_id,
        token: request.params.token,
        personId: request.params.id,
        at: request.query.timestamp ?? request.body?.timestamp ?? null,
      })
      return present ?? reply.code(204).send()
    },
  )
}
