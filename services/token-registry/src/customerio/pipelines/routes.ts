import {
  type Authenticate,
  acceptJson,
  addressOf,
  admitCaller,
  type Charge,
  forCaller,
  isExpired,
  limiterOf,
  loggedProblemOf,
  noteUse,
  ProblemError,
  spendOrRefuse,
  unavailable,
} from '@pushkeep/runtime'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { allowCrossOrigin, answerPreflight } from '../../cross-origin.ts'
import type { OpenGate } from '../../identity/gate.ts'
import type { Asked } from '../action.ts'
import { callOf } from '../caller.ts'
import { isObject } from '../people.ts'
import { type Call, isRefusal, type PerformDeps, perform } from '../perform.ts'
import { hostToTell } from '../public-host.ts'
import { refusalMessages, refusalStatus } from '../refusal.ts'
import { batchItems, checkSize } from '../size.ts'
import { type Envelope, messageAsked } from './message.ts'
import { answerRefused, bodyOf, type Refused } from './verdicts.ts'

export interface PipelinesDeps extends PerformDeps {
  openGate: OpenGate
  authenticate: Authenticate
  /** Host, and path if any, by which clients reach the registry; null: as they named it. */
  publicHost: string | null
  now: () => number
}

/** Most bytes of a batch. */
const batchBytesMax = 512_000

/** The key may be in the body: who calls is found in the route. */
const open = {
  config: { access: 'open' },
  schema: { hide: true },
  bodyLimit: batchBytesMax,
} as const

/** Single messages, by their names and, as browsers have it, by the first letter of these. */
const single: Record<string, string> = {
  identify: 'identify',
  track: 'track',
  page: 'page',
  screen: 'screen',
  group: 'group',
  alias: 'alias',
  i: 'identify',
  t: 'track',
  p: 'page',
  s: 'screen',
  g: 'group',
  a: 'alias',
}

/**
 * The Pipelines (CDP) API, as Customer.io's mobile SDKs, browsers and servers speak it; below `/v1` and
 * without, since the host that a client is given may or may not end in it.
 */
export function pipelinesRoutes(scope: FastifyInstance, deps: PipelinesDeps): void {
  acceptJson(scope, { anyType: true, unpackedMax: batchBytesMax })
  scope.setErrorHandler((error, request, reply) => {
    const problem = loggedProblemOf(error, request)
    return reply
      .code(refusalStatus(problem))
      .headers(problem.headers)
      .send(bodyOf(refusalMessages(problem), problem))
  })
  boundKeyless(scope)
  allowCrossOrigin(scope)
  answerPreflight(scope, 'POST', '/v1/batch')
  for (const base of ['/v1', '']) {
    scope.get(`${base}/projects/:writeKey/settings`, open, (request) => settings(deps, request))
    for (const path of ['batch', 'b']) {
      scope.post(`${base}/${path}`, open, (request, reply) => takeBatch(deps, request, reply))
    }
    for (const [path, type] of Object.entries(single)) {
      scope.post(`${base}/${path}`, open, (request, reply) => takeOne(deps, request, reply, type))
    }
  }
}

/**
 * A key in the body is known once the body is read and parsed: what one address may send so is bounded before
 * that, by the length that it announces. Of a body without a length (the Android SDK sends such) what came is
 * counted once it is answered, and held against those that follow.
 */
function boundKeyless(scope: FastifyInstance): void {
  const beganAt = new WeakMap<FastifyRequest, number>()
  scope.addHook('onRequest', (request, _reply, done) => {
    const { authorization, 'content-length': length } = request.headers
    if (request.method === 'POST' && authorization === undefined) {
      if (length === undefined) beganAt.set(request, request.raw.socket.bytesRead)
      spendOrRefuse(request, [keylessCharge(request, Number(length ?? 0))])
    }
    done()
  })
  scope.addHook('onResponse', (request, _reply, done) => {
    const before = beganAt.get(request)
    const came = before === undefined ? 0 : request.raw.socket.bytesRead - before
    if (came > 0) limiterOf(request)?.spend([keylessCharge(request, came)])
    done()
  })
}

function keylessCharge(request: FastifyRequest, bytes: number): Charge {
  const cost = Math.max(1, Math.min(bytes, batchBytesMax))
  return { limit: 'keyless_bytes', name: addressOf(request), cost }
}

async function takeBatch(deps: PipelinesDeps, request: FastifyRequest, reply: FastifyReply) {
  const call = await admit(deps, request)
  const { batch: sent, context } = isObject(request.body) ? request.body : {}
  const batch = batchItems(sent)
  const envelope = envelopeOf(deps, call, null, context)
  const refused = await forCaller(call.caller, () => take(deps, call, batch, envelope))
  return refused.length === 0 ? {} : answerRefused(request, reply, refused, batch.length)
}

async function takeOne(
  deps: PipelinesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  type: string,
) {
  const call = await admit(deps, request)
  const envelope = envelopeOf(deps, call, type, {})
  const refused = await forCaller(call.caller, () => take(deps, call, [request.body], envelope))
  if (refused.length === 0) return {}
  return answerRefused(
    request,
    reply,
    refused.map((one) => ({ ...one, index: null })),
    1,
  )
}

/** By the key in the header, else by the one in the body. */
async function admit(
  { authenticate, openGate }: PipelinesDeps,
  request: FastifyRequest,
): Promise<Call> {
  const { authorization } = request.headers
  const writeKey = isObject(request.body) ? request.body.writeKey : undefined
  const key = typeof writeKey === 'string' ? `Bearer ${writeKey}` : undefined
  const found = await authenticate(authorization ?? key)
  const caller = admitCaller(request, found, 'public')
  // Servers send it in a header; what has it in the body is a page or a phone.
  noteUse(request, caller, authorization === undefined || request.headers.origin !== undefined)
  return forCaller(caller, () => callOf(request, openGate))
}

function envelopeOf(
  { now }: PipelinesDeps,
  { caller }: Call,
  type: string | null,
  context: unknown,
): Envelope {
  const isSecret = caller.kind === 'secret'
  return { type, context: isObject(context) ? context : {}, isSecret, now: now() }
}

/** Reads and performs messages; the answer has those that were refused. */
async function take(
  deps: PipelinesDeps,
  call: Call,
  messages: readonly unknown[],
  envelope: Envelope,
): Promise<Refused[]> {
  const read = messages.map((message) => readMessage(message, envelope))
  const asked = read.flatMap((one) => (one instanceof ProblemError ? [] : [one]))
  await requireApp(deps, call, asked)
  const performed = (await perform(deps, call, asked)).values()
  return read.flatMap((one, index): Refused[] => {
    const verdict = one instanceof ProblemError ? one : performed.next().value
    const problem = verdict instanceof ProblemError ? verdict : problemOf(verdict)
    const message = messages[index]
    const messageId = isObject(message) ? message.messageId : undefined
    return problem ? [{ index, messageId, problem }] : []
  })
}

function problemOf(performed: Awaited<ReturnType<typeof perform>>[number] | undefined) {
  return performed?.kind === 'refused' ? performed.problem : null
}

function readMessage(message: unknown, envelope: Envelope): Asked | ProblemError {
  try {
    checkSize(message, 'message')
    return messageAsked(message, envelope)
  } catch (error) {
    if (isRefusal(error)) return error
    throw error
  }
}

/**
 * A key for several apps does not tell where a token belongs. That is the operator's to mend: phones
 * wait instead of losing their tokens.
 */
async function requireApp(
  { apps }: PipelinesDeps,
  { caller, appId }: Call,
  asked: readonly Asked[],
): Promise<void> {
  const isAboutDevice = ({ action: { kind } }: Asked) =>
    kind === 'register-device' || (kind === 'delete-device' && caller.kind === 'public')
  if (!asked.some(isAboutDevice)) return
  if (await apps.only(caller, appId, 'writeKey')) return
  throw unavailable('app_unknown', 'the key is for no app of its own: create one with --app', 60)
}

/** What SDKs ask for at their start: without it they send nothing. */
async function settings(deps: PipelinesDeps, request: FastifyRequest) {
  const { authenticate, publicHost, now } = deps
  const { writeKey } = request.params as { writeKey: string }
  const caller = await authenticate(`Bearer ${writeKey}`)
  if (!caller || isExpired(caller, now())) {
    throw new ProblemError(404, 'unknown_key', { detail: 'there is no such write key' })
  }
  // Phones alone ask for it.
  noteUse(request, caller, true)
  const host = hostToTell(request, publicHost)
  return {
    integrations: {
      'Customer.io Data Pipelines': {
        apiKey: writeKey,
        ...(host === null ? {} : { apiHost: `${host}/v1` }),
      },
    },
  }
}
