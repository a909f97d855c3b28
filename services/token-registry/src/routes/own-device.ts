import { timingSafeEqual } from 'node:crypto'
import { type Caller, callerOf, notFound, problemResponses } from '@pushkeep/runtime'
import { type Database, findReadableDevice, type ReadableDevice } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { publicKeys } from '../access.ts'
import { DeviceAnswer, deviceAnswer } from '../answers.ts'
import type { AppFinder } from '../apps.ts'
import { allowCrossOrigin, answerPreflight } from '../cross-origin.ts'
import type { IdentityGate, OpenGate } from '../identity/gate.ts'
import { readerHashOf } from '../identity/shown.ts'
import { DeviceHeaders, installationHeader } from '../identity/token-header.ts'
import { AppQuery, TokenParams } from '../requests.ts'

export interface OwnDeviceRoutesDeps {
  database: Database
  apps: AppFinder
  openGate: OpenGate
}

const readSchema = {
  tags: ['devices'],
  summary: "Read the caller's own device",
  description:
    'For mobile apps: a public key reads the device whose token it names if it shows the secret of its installation (`X-Installation-Secret`), or an identity token of the person to whom the device is tied. 404 in every other case: a caller who shows nothing learns nothing. `installation_id` is shown to the installation alone.',
  params: TokenParams,
  querystring: AppQuery,
  headers: DeviceHeaders,
  response: { 200: DeviceAnswer, ...problemResponses(400, 401, 404, 414, 422, 429, 503) },
}

/** What an installation may read with a public key: its own device. */
export const ownDeviceRoutes: FastifyPluginAsyncZod<OwnDeviceRoutesDeps> = async (server, deps) => {
  const { database, apps, openGate } = deps
  allowCrossOrigin(server)
  answerPreflight(server, 'GET', '/v1/devices/:token/own')

  server.get(
    '/v1/devices/:token/own',
    { config: publicKeys, schema: readSchema },
    async (request) => {
      const caller = callerOf(request)
      const { token } = request.params
      // Not by the token: that several apps know it is more than a public key is told.
      const app = await apps.toRegister(caller, request.query.app_id, 'app_id')
      const gate = await openGate(caller, request.headers, app.appNo)
      const found = await findReadableDevice(database, { appNo: app.appNo, token })
      const secret = request.headers[installationHeader]
      if (!found || !mayRead(caller, found, gate, secret)) {
        throw notFound('unknown_device', 'there is no such device, or it is not known to be yours')
      }
      return answerTo(caller, found, secret, deviceAnswer(token, found.device, app.id))
    },
  )
}

function mayRead(
  caller: Caller,
  { device, readerHash }: ReadableDevice,
  gate: IdentityGate,
  secret: string | undefined,
): boolean {
  if (caller.kind === 'secret') return true
  if (device.personId !== null && gate.proves(device.personId)) return true
  return isSecret(readerHash, secret)
}

function isSecret(readerHash: Buffer | null, secret: string | undefined): boolean {
  if (secret === undefined || readerHash === null) return false
  return timingSafeEqual(readerHash, readerHashOf(secret))
}

/** The installation's id retires its tokens: it is told to the installation, not to each person on the phone. */
function answerTo(
  caller: Caller,
  { readerHash }: ReadableDevice,
  secret: string | undefined,
  answer: DeviceAnswer,
): DeviceAnswer {
  const isTold = caller.kind === 'secret' || isSecret(readerHash, secret)
  return isTold ? answer : { ...answer, installation_id: null }
}
