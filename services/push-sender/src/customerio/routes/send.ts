import { deliveryIdOf } from '@pushkeep/domain'
import {
  type Caller,
  callerOf,
  conflict,
  invalid,
  noteRequest,
  tooManyDevices,
} from '@pushkeep/runtime'
import {
  type Acceptance,
  type Identification,
  isAttributesTooLarge,
  type Person,
  type PersonReference,
  personIdNamed,
  type Registered,
  type Registration,
  type Sql,
  TooManyDevicesError,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type Accept, acceptable } from '../../accept.ts'
import type { SenderEvents } from '../../events.ts'
import { idempotencyKey } from '../../idempotency.ts'
import { limitMessage } from '../../message-limits.ts'
import { registrationOf } from '../custom-device.ts'
import { nobody, personIn } from '../identifiers.ts'
import { messageOf, renamed } from '../push-message.ts'
import { acceptedBefore, ownKey } from '../repeats.ts'
import { refusals } from '../scope.ts'
import { SendPush } from '../send-push.ts'

export interface SendDeps {
  database: Sql
  accept: Accept
  events: SenderEvents
  findPersonId: (reference: PersonReference) => Promise<string | null>
  identify: (call: Identification) => Promise<Person>
  register: (call: Registration) => Promise<Registered>
  /** Left out of the OpenAPI document. */
  hide: boolean
}

const sendSchema = {
  summary: 'Send a transactional push',
  description:
    'To the devices of a person, who is created where there is none. `custom_device` is registered ' +
    'as theirs first. `delivery_id` is the message: `GET /v1/messages/{delivery_id}` tells what ' +
    'became of it, and the phone reports by it. A call that its client repeats by itself ' +
    '(`X-Retry-Count`) sends once.',
  tags: ['app api'],
  headers: z.looseObject({
    'idempotency-key': z.string().optional().describe('As for `POST /v1/messages`'),
    'x-retry-count': z.string().optional().describe('How often the client has repeated the call'),
  }),
  body: SendPush,
  response: {
    200: z.object({
      delivery_id: z.string(),
      queued_at: z.int().describe('Unix seconds'),
      send_at: z.int().optional().describe('Unix seconds, where it was scheduled'),
    }),
    ...refusals(400, 401, 403, 409, 413, 415, 429, 503),
  },
}

/** Transactional pushes as Customer.io's clients send them. */
export const sendRoutes: FastifyPluginAsyncZod<SendDeps> = async (app, deps) => {
  const { hide } = deps
  const options = { config: { access: 'secret' }, schema: { ...sendSchema, hide } } as const
  app.post('/send/push', options, async (request) => {
    const { headers, body } = request
    limitMessage(request, { to: {} })
    const key = idempotencyKey(headers['idempotency-key'])
    const id = await send(deps, callerOf(request), body, key, headers['x-retry-count'])
    noteRequest(request, { message_id: id })
    const queued_at = Math.floor(Date.now() / 1000)
    const { send_at } = body
    return {
      delivery_id: deliveryIdOf(id),
      queued_at,
      ...(send_at != null && send_at > queued_at ? { send_at } : {}),
    }
  })
}

/** Everything is looked at before the first thing is stored. */
async function send(
  deps: SendDeps,
  caller: Caller,
  push: SendPush,
  key: string | null,
  retryCount: unknown,
): Promise<string> {
  const { database, accept, events, findPersonId, identify, register } = deps
  const { workspaceNo, appNo } = caller
  const repeat = { workspaceNo, appNo, body: push, retryCount }
  const before = key === null ? await acceptedBefore(database, repeat) : null
  if (before !== null) {
    events.accepted('transactional', 'repeated')
    return before
  }
  const identifier = personIn(push.identifiers)
  const personId = await personIdNamed(findPersonId, workspaceNo, identifier)
  if (personId === null) throw nobody()
  const message = messageOf(push, personId)
  const { custom_device: device } = push
  const registration = device ? await registrationOf(database, caller, personId, device) : null
  const accepted = await acceptable(database, caller, message, key ?? ownKey(push)).catch(
    (error: unknown) => {
      throw renamed(error)
    },
  )
  const isKnown = (await findPersonId({ workspaceNo, by: 'id', id: personId })) !== null
  if (!isKnown) {
    const attributes = identifier.by === 'email' ? { email: identifier.email } : {}
    const vouched = { isVouched: true, vouchesEmail: true }
    await identify({ workspaceNo, id: personId, attributes, ...vouched })
  }
  if (registration) await register(registration).catch(refuse)
  const acceptance = await accept(accepted)
  events.accepted(accepted.lane, acceptance.kind)
  return idOf(acceptance)
}

/** For `catch`: the message is not sent where its device cannot be registered. */
function refuse(error: unknown): never {
  if (error instanceof TooManyDevicesError) throw tooManyDevices('identifiers', error.devicesMax)
  if (!isAttributesTooLarge(error)) throw error
  const message = 'would, together with those stored, be too large or too many'
  throw invalid([{ path: 'custom_device.attributes', message }])
}

function idOf(acceptance: Acceptance): string {
  if (acceptance.kind !== 'conflict') return acceptance.id
  throw conflict('idempotency_conflict', 'this Idempotency-Key came with another body before')
}
