import { RegisterDeviceInput } from '@pushkeep/domain'
import { callerOf, notFound, problemResponses } from '@pushkeep/runtime'
import {
  type Database,
  findDevice,
  type Registered,
  type Registration,
  untieDevice,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { publicKeys, secretKeys } from '../access.ts'
import {
  ChangedDeviceAnswer,
  DeviceAnswer,
  deviceAnswer,
  EmptyAnswer,
  GoneDeviceAnswer,
} from '../answers.ts'
import type { AppFinder } from '../apps.ts'
import { deleteByToken } from '../deletion.ts'
import type { OpenGate } from '../identity/gate.ts'
import { shownBy } from '../identity/shown.ts'
import { DeviceHeaders } from '../identity/token-header.ts'
import { registeredAnswer, registrationOf } from '../registration.ts'
import { AppQuery, ChangeQuery, ClearIdentifyBody, DeleteBody, TokenParams } from '../requests.ts'
import { registerFitting } from '../too-large.ts'
import { limitWrite } from '../write-limits.ts'

export interface DeviceRoutesDeps {
  database: Database
  apps: AppFinder
  register: (call: Registration) => Promise<Registered>
  openGate: OpenGate
}

const tags = ['devices']

const places = { token: 'token', prefix: '', person: 'person_id' }

const unknownDevice = () => notFound('unknown_device', 'there is no such device')

const registerSchema = {
  tags,
  summary: 'Register a device',
  description:
    'Adds or refreshes the device. With `person_id` it is tied to that person, who is created where there is none, and taken from the person who had it; without, the tie stays. Attributes merge by top-level key. `installation_id` or `previous_token` retires the token that this one replaces; where the replaced one has a secret on record, a public key has to show it (`installation_secret`), or an identity token of its person, else the new token is registered alone. A call that is late by its `timestamp` changes nothing and answers `"applied": false`. A person who has as many devices as one may have, all in use, is a 422 `too_many_devices`.',
  params: TokenParams,
  headers: DeviceHeaders,
  body: RegisterDeviceInput,
  response: {
    200: z.union([ChangedDeviceAnswer, GoneDeviceAnswer, EmptyAnswer]),
    ...problemResponses(400, 401, 403, 413, 414, 415, 422, 429, 503),
  },
}

const readSchema = {
  tags,
  summary: 'Read a device',
  description: '404 where it is not known, or was deleted or replaced.',
  params: TokenParams,
  querystring: AppQuery,
  response: { 200: DeviceAnswer, ...problemResponses(401, 403, 404, 414, 422, 429, 503) },
}

const deleteSchema = {
  tags,
  summary: 'Delete a device',
  description:
    'Erases token, attributes and tie. A call that is late by its timestamp changes nothing and answers 200 with the present device. A public key always gets 204; where a secret of its installation is on record, it deletes only if it shows that secret, or an identity token of the person.',
  params: TokenParams,
  querystring: ChangeQuery,
  headers: DeviceHeaders,
  body: DeleteBody,
  response: {
    200: ChangedDeviceAnswer,
    204: z.undefined().describe('Deleted'),
    ...problemResponses(400, 401, 404, 413, 414, 415, 422, 429, 503),
  },
}

const clearIdentifySchema = {
  tags,
  summary: 'Untie a device from its person',
  description:
    'With `person_id` only if it is tied to that one. A call that is late, or about another person, changes nothing and answers `"applied": false`. Where a secret of its installation is on record, a public key unties only if it shows that secret, or an identity token of the person; it is told nothing either way.',
  params: TokenParams,
  querystring: ChangeQuery,
  headers: DeviceHeaders,
  body: ClearIdentifyBody,
  response: {
    200: z.union([ChangedDeviceAnswer, EmptyAnswer]),
    ...problemResponses(400, 401, 404, 413, 414, 415, 422, 429, 503),
  },
}

/** Devices by their token: register, read, clear identify, delete. */
export const deviceRoutes: FastifyPluginAsyncZod<DeviceRoutesDeps> = async (server, deps) => {
  const { database, apps, register, openGate } = deps

  server.put(
    '/v1/devices/:token',
    { config: publicKeys, schema: registerSchema },
    async (request) => {
      const caller = callerOf(request)
      const { token } = request.params
      const { person_id: personId = null, ...input } = request.body
      const app = await apps.toRegister(caller, input.app_id, `${places.prefix}app_id`)
      const gate = await openGate(caller, request.headers, app.appNo)
      const { headers } = request
      const sent = { caller, app, token, personId, gate, headers, input, places }
      const call = registrationOf(sent)
      limitWrite(request, caller, gate, { personId, token })
      const registered = await registerFitting(register, caller, call, places, request.log)
      return registeredAnswer(sent, registered)
    },
  )

  server.get('/v1/devices/:token', { config: secretKeys, schema: readSchema }, async (request) => {
    const { token } = request.params
    const app = await apps.ofToken(callerOf(request), request.query.app_id, token)
    const device = app && (await findDevice(database, { appNo: app.appNo, token }))
    if (!device) throw unknownDevice()
    return deviceAnswer(token, device, app.id)
  })

  server.delete(
    '/v1/devices/:token',
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
        personId: null,
        at: request.query.timestamp ?? request.body?.timestamp ?? null,
      })
      return present ?? reply.code(204).send()
    },
  )

  server.post(
    '/v1/devices/:token/clear-identify',
    { config: publicKeys, schema: clearIdentifySchema },
    async (request) => {
      const caller = callerOf(request)
      const { token } = request.params
      const personId = request.body?.person_id ?? null
      const at = request.query.timestamp ?? request.body?.timestamp ?? null
      const gate = await openGate(caller, request.headers, null)
      limitWrite(request, caller, gate, { token })
      const app = await apps.toChange(caller, request.query.app_id, token)
      const change = { token, at, personId, ...shownBy(caller, gate, request.headers) }
      const result = app && (await untieDevice(database, { appNo: app.appNo, ...change }))
      if (caller.kind === 'public') return {}
      if (!app || result?.kind !== 'found') throw unknownDevice()
      return { ...deviceAnswer(token, result.device, app.id), applied: result.applied }
    },
  )
}
