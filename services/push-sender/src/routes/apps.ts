import { ClientTime, type Provider, providers } from '@pushkeep/domain'
import { actorOf, type Caller, callerOf, notFound, problemResponses } from '@pushkeep/runtime'
import {
  type App,
  audit,
  type Database,
  findApp,
  type OpenBreaker,
  providersOf,
  resumeLane,
  type Sql,
  workersNow,
} from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { decideAboutBounces } from '../bounces.ts'
import { longestOpen, messagesHeld } from '../open-breakers.ts'
import { resumedBody, trialWaitMs } from '../resumed-body.ts'

const config = { access: 'secret' } as const

const AppParams = z.object({ id: z.string().describe("The app's id") })

const Lanes = z.object({
  id: z.uuid(),
  name: z.string(),
  providers: z.array(
    z.object({
      provider: z.enum(providers),
      paused: z.boolean(),
      paused_at: z.iso.datetime().nullable(),
      pause_reason: z.string().nullable().describe('Why nothing is sent, in words'),
      pause_cause: z
        .object({
          message_id: z.string().nullable(),
          person_id: z.string().nullable(),
          device: z.int().describe('The number of the device, which is no secret'),
          agreed: z.int().describe('Devices of so many people got the same answer'),
        })
        .nullable()
        .describe('The delivery that led to the pause'),
      guard: z
        .object({ since: z.iso.datetime(), reason: z.string() })
        .nullable()
        .describe(
          'Set while the mass-bounce guard has tripped: tokens of so many people were found dead at ' +
            'once that none is retired. Pushes go on.',
        ),
      breaker: z
        .object({
          open_until: z.iso.datetime().describe('When the workers try again by themselves'),
          refusals: z.int().describe('How often it opened in a row'),
        })
        .nullable()
        .describe(
          'Set while the provider does not serve: it refused half of the answers about many ' +
            'devices, or no connection can be made. The workers hold the lane back and probe.',
        ),
      held_messages: z
        .array(z.uuid())
        .describe(
          'Messages that are held back alone: the provider refuses their pushes and serves others',
        ),
    }),
  ),
})

const ResumeInput = z.strictObject({
  bounces: z
    .enum(['keep', 'undo'])
    .default('keep')
    .describe(
      'What becomes of the tokens that were retired in doubt, where a mass bounce paused it',
    ),
})

const Resumed = z.object({
  resumed: z.boolean().describe('Whether the lane goes on now'),
  said: z.string().describe('Why it goes on or stays paused, in a sentence'),
  tried: z
    .array(
      z.object({
        message_id: z.string(),
        device: z.int(),
        accepted: z.boolean(),
        reason: z.string().nullable().describe("The provider's word; null: accepted"),
      }),
    )
    .describe('The deliveries that were tried, at most three, of different people'),
  restored: z.int().describe('Tokens that were retired in doubt and are live again'),
})

/** An app's lanes: whether they send, and letting a paused one go on. */
export const appRoutes: FastifyPluginAsyncZod<{ database: Database }> = async (
  app,
  { database },
) => {
  app.get(
    '/v1/apps/:id',
    {
      config,
      schema: {
        summary: 'How an app stands',
        description:
          'Its providers, and for each whether its lane is paused and why, or held back because the ' +
          'provider does not serve. What workers hold back is told within two seconds.',
        tags: ['apps'],
        params: AppParams,
        response: { 200: Lanes, ...problemResponses(401, 403, 404, 429, 503) },
      },
    },
    async (request) => {
      const found = await visibleApp(database, callerOf(request), request.params.id)
      const [states, { breakers }] = await Promise.all([
        providersOf(database, found.appNo),
        workersNow(database, [found.appNo]),
      ])
      return {
        id: found.id,
        name: found.name,
        providers: states.map(({ provider, pausedAt, pauseReason, pauseCause, guard }) => ({
          provider,
          paused: pausedAt !== null,
          paused_at: pausedAt?.toISOString() ?? null,
          pause_reason: pauseReason,
          pause_cause: pauseCause && {
            message_id: pauseCause.messageId,
            person_id: pauseCause.personId,
            device: pauseCause.deviceNo,
            agreed: pauseCause.agreed,
          },
          guard: guard && { since: new Date(guard.since).toISOString(), reason: guard.reason },
          ...heldBack(breakers.filter((breaker) => breaker.provider === provider)),
        })),
      }
    },
  )

  app.post(
    '/v1/apps/:id/providers/:provider/resume',
    {
      config,
      schema: {
        summary: 'Let a paused lane go on',
        description:
          'Workers try up to three waiting deliveries of different people, the one that led to the ' +
          'pause after the others. One that the provider accepts opens the lane: what waited is sent, ' +
          'and open breakers close. Otherwise the lane stays paused, and `tried` says what the ' +
          'provider answered. The call waits ten seconds for that at most; a trial that takes longer goes ' +
          'on without it. A lane that nothing waits for opens at once. Where the mass-bounce ' +
          'guard has tripped, `bounces` decides about its tokens as well: `keep` ' +
          'believes the provider and keeps the guard quiet for an hour, `undo` makes each token that ' +
          'was retired since a minute before as it was, unless it has registered again. Resuming a ' +
          'lane that is not paused closes breakers and changes nothing else.',
        tags: ['apps'],
        params: AppParams.extend({ provider: z.enum(providers) }),
        body: ResumeInput.optional(),
        response: {
          200: Resumed,
          ...problemResponses(400, 401, 403, 404, 413, 415, 422, 429, 503),
        },
      },
    },
    async (request) => {
      const { id, provider } = request.params
      const caller = callerOf(request)
      const found = await visibleApp(database, caller, id)
      return resume(database, caller, found, provider, request.body?.bounces ?? 'keep')
    },
  )

  app.post(
    '/v1/apps/:id/providers/:provider/bounces',
    {
      config,
      schema: {
        summary: 'Decide about tokens that were retired',
        description:
          '`undo` makes each token that was retired from `from` to `to` as it was, unless it has ' +
          'registered again, whether or not the mass-bounce guard has tripped; without `from`, since it ' +
          'tripped. `keep` believes the provider and keeps the guard quiet for an hour. A guard that has ' +
          'tripped ends by `keep`, and by an `undo` of all that it doubts: one without `to` that begins ' +
          'no later than `guard.since`. A call that was cut off is made again: it goes on.',
        tags: ['apps'],
        params: AppParams.extend({ provider: z.enum(providers) }),
        body: BounceInput,
        response: {
          200: z.object({ restored: z.int().describe('Tokens that are live again') }),
          ...problemResponses(400, 401, 403, 404, 413, 415, 422, 429, 503),
        },
      },
    },
    async (request) => {
      const { id, provider } = request.params
      const caller = callerOf(request)
      const found = await visibleApp(database, caller, id)
      return decideAboutBounces(database, actorOf(caller), found, provider, request.body)
    },
  )
}

/** What the workers' breakers hold back of one provider. */
function heldBack(breakers: readonly OpenBreaker[]) {
  const open = longestOpen(breakers)
  return {
    breaker: open && {
      open_until: new Date(open.openUntil).toISOString(),
      refusals: open.refusals,
    },
    held_messages: messagesHeld(breakers),
  }
}

const BounceInput = z.strictObject({
  decision: z.enum(['keep', 'undo']),
  from: ClientTime.optional().describe('Of `undo`: verdicts since then'),
  to: ClientTime.optional().describe('Of `undo`: verdicts until then; now if left out'),
})

async function resume(
  database: Database,
  caller: Caller,
  { appNo, id }: App,
  provider: Provider,
  bounces: 'keep' | 'undo',
) {
  const resumed = await resumeLane(database, {
    appNo,
    provider,
    bounces,
    waitMs: trialWaitMs,
    note: (sql, restored) =>
      audit(sql, {
        actor: actorOf(caller),
        action: 'provider.resume',
        target: { kind: 'app', id },
        appNo,
        detail: { provider, bounces, restored },
      }),
  })
  if (!resumed) throw notFound('unknown_provider', `the app has no credentials for ${provider}`)
  return resumedBody(resumed)
}

const Id = z.uuid()

/** The app with this id, if the caller may see it; otherwise it is as good as not there. */
async function visibleApp(sql: Sql, caller: Caller, id: string): Promise<App> {
  const app = Id.safeParse(id).success ? await findApp(sql, id) : null
  const isVisible =
    app?.workspaceNo === caller.workspaceNo && (caller.appNo === null || caller.appNo === app.appNo)
  if (!app || !isVisible) throw notFound('unknown_app', 'there is no app with this id')
  return app
}
