import type { ProblemError } from '@pushkeep/runtime'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { refusalMessages, refusalStatus } from '../refusal.ts'

/** A message that was refused, by its place in the request. */
export interface Refused {
  /** In the batch; null: the message was all there was. */
  index: number | null
  messageId: unknown
  problem: ProblemError
}

/**
 * The answer to messages of which some were refused; the others count. Customer.io answers 200 all the
 * same unless the client asks to be told: by `X-Strict-Mode: 1` with a 400, by `X-Item-Verdicts: true`
 * with a verdict for each. What this key may never do is always told.
 */
export function answerRefused(
  request: FastifyRequest,
  reply: FastifyReply,
  refused: readonly Refused[],
  count: number,
): object {
  const codes = [...new Set(refused.map(({ problem }) => problem.problem.code))]
  request.log.warn(
    { event: 'pipelines.refused', refused: refused.length, of: count, codes },
    'messages were refused',
  )
  if (wantsVerdicts(request)) {
    return { errors: refused.map(verdictOf) }
  }
  const [first] = refused
  const isForbidden =
    refused.length === count && refused.every(({ problem }) => isAboutKey(problem))
  if (!first || !(isStrict(request) || isForbidden)) return {}
  // A phone would repeat for ever what gets 403.
  const status = first.index === null ? refusalStatus(first.problem) : 400
  return reply.code(status).send(bodyOf(refused.flatMap(linesOf), first.problem))
}

/** Whether the client asks for a verdict for each message. */
function wantsVerdicts({ headers }: FastifyRequest): boolean {
  return headers['x-item-verdicts'] === 'true'
}

function isStrict({ headers }: FastifyRequest): boolean {
  return headers['x-strict-mode'] === '1' || headers['x-strict-mode'] === 'true'
}

function isAboutKey({ statusCode }: ProblemError): boolean {
  return statusCode === 403
}

function verdictOf({ messageId, problem }: Refused): object {
  const { code, detail, errors } = problem.problem
  return { messageId, code, detail, ...(errors ? { errors } : {}) }
}

function linesOf({ index, problem }: Refused): string[] {
  const place = index === null ? '' : `batch.${index}: `
  return refusalMessages(problem).map((line) => place + line)
}

/** An error as the Pipelines API has it; some of its clients read `code` and `message`. */
export function bodyOf(messages: readonly string[], { problem }: ProblemError): object {
  return { meta: { errors: messages }, code: problem.code, message: messages.join('; ') }
}
