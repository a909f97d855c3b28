import { TestPush, TestSent, Timeline } from '@pushkeep/console-api'
import { NewMessage } from '@pushkeep/domain'
import { conflict, notFound } from '@pushkeep/runtime'
import {
  acceptMessage,
  audit,
  type Bell,
  type Database,
  findByFingerprint,
  findNumberedPerson,
  inTransaction,
  readTimeline,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { payloadRefusal } from '../../payload.ts'
import { appInScope, type Scope, scopeOf } from '../scope.ts'

const eventsShown = 100

/** A test is for a phone in somebody's hand: nobody wants it tomorrow. */
const testTtlSeconds = 600

const config = { access: 'session' } as const
const hide = true
const Params = z.object({
  app: z.string(),
  fingerprint: z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hexadecimal digits'),
})

interface Deps {
  database: Database
  bell: Pick<Bell, 'ring'>
}

/** One device: what happened to its token, and a push to see whether it arrives. */
export const deviceRoutes: FastifyPluginAsyncZod<Deps> = async (app, { database, bell }) => {
  async function find(scope: Scope, { app: appId, fingerprint }: z.infer<typeof Params>) {
    const { appNo } = appInScope(scope, appId)
    const device = await findByFingerprint(database, { appNos: [appNo], fingerprint })
    if (!device) throw notFound('unknown_device', 'there is no such device, or it was deleted')
    return device
  }

  app.get(
    '/ops/api/apps/:app/devices/:fingerprint/timeline',
    { config, schema: { hide, params: Params, response: { 200: Timeline } } },
    async (request) => {
      const { appNo, token } = await find(await scopeOf(database, request), request.params)
      const page = await readTimeline(database, { appNo, token, limit: eventsShown, after: null })
      return {
        events: page.events.map((event) => ({
          at: event.at.toISOString(),
          kind: event.kind,
          person_id: event.personId,
          from_person_id: event.fromPersonId,
          reason: event.reason,
        })),
        is_cut: page.next !== null,
      }
    },
  )

  app.post(
    '/ops/api/apps/:app/devices/:fingerprint/test',
    { config, schema: { hide, params: Params, body: TestPush, response: { 201: TestSent } } },
    async (request, reply) => {
      const scope = await scopeOf(database, request)
      const device = await find(scope, request.params)
      const { title, body, person_id } = request.body
      await refuseOtherOwner(scope, person_id, device.personNo)
      const message = NewMessage.parse({
        // Only if it is still theirs when it is sent.
        to: { token: device.token, ...(person_id === null ? {} : { person_id }) },
        content: { title, ...(body === '' ? {} : { body }) },
        app_id: device.appId,
        ttl_seconds: testTtlSeconds,
      })
      const { workspaceNo } = scope
      const target = { workspaceNo, appNo: device.appNo }
      const refusal = await payloadRefusal(database, message, target)
      if (refusal) throw refusal
      const id = await send(scope, device.appNo, message)
      bell.ring()
      return reply.code(201).send({ message_id: id })
    },
  )

  /** The phone may have changed hands since the page was read. */
  async function refuseOtherOwner(
    { workspaceNo }: Scope,
    personId: string | null,
    ownerNo: string | null,
  ): Promise<void> {
    const expected =
      personId === null ? null : await findNumberedPerson(database, { workspaceNo, id: personId })
    if ((expected?.personNo ?? null) === ownerNo) return
    throw conflict('reassigned', 'the device belongs to somebody else by now: load the page again')
  }

  async function send(scope: Scope, appNo: number, message: NewMessage): Promise<string> {
    return inTransaction(database, async (sql) => {
      const { workspaceNo } = scope
      const accepted = await acceptMessage(sql, {
        workspaceNo,
        appNo,
        message,
        lane: 'transactional',
        planNow: true,
        idempotency: null,
      })
      if (accepted.kind === 'conflict') throw new Error('a message without a key cannot conflict')
      await audit(sql, {
        actor: scope.asker,
        action: 'message.send',
        target: { kind: 'message', id: accepted.id },
        appNo,
        detail: { test: true },
      })
      return accepted.id
    })
  }
}
