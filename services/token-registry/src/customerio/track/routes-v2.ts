import { ProblemError } from '@pushkeep/runtime'
import type { FastifyInstance } from 'fastify'
import { publicKeys } from '../../access.ts'
import type { Asked } from '../action.ts'
import { callOf } from '../caller.ts'
import { isObject } from '../people.ts'
import { isRefusal, type Performed, perform } from '../perform.ts'
import { batchItems, checkSize, itemBytesMax } from '../size.ts'
import { operationAsked } from './operation.ts'
import type { TrackDeps } from './routes-v1.ts'
import { bodyLimit, errorsOf } from './scope.ts'

const hide = { hide: true } as const

/** Track API v2: one operation, or a batch of them in which each has its own verdict. */
export function trackV2Routes(scope: FastifyInstance, deps: TrackDeps): void {
  scope.post(
    '/api/v2/entity',
    { config: publicKeys, schema: hide, bodyLimit: itemBytesMax },
    async (request) => {
      const call = await callOf(request, deps.openGate)
      const asked = operationAsked(request.body, call.caller.kind === 'secret')
      const [performed] = await perform(deps, call, [asked])
      if (performed?.kind === 'refused') throw performed.problem
      return {}
    },
  )

  scope.post(
    '/api/v2/batch',
    { config: publicKeys, schema: hide, bodyLimit },
    async (request, reply) => {
      const batch = batchItems(isObject(request.body) ? request.body.batch : undefined)
      const call = { ...(await callOf(request, deps.openGate)), hasVerdicts: true }
      const isSecret = call.caller.kind === 'secret'
      const read = batch.map((item) => readItem(item, isSecret))
      const asked = read.flatMap((one) => (one instanceof ProblemError ? [] : [one]))
      const performed = (await perform(deps, call, asked)).values()
      const errors = read.flatMap((one, index) => {
        const problem = one instanceof ProblemError ? one : problemOf(performed.next().value)
        return problem ? errorsOf(problem).map((error) => ({ batch_index: index, ...error })) : []
      })
      return errors.length === 0 ? {} : reply.code(207).send({ errors })
    },
  )
}

function readItem(item: unknown, isSecret: boolean): Asked | ProblemError {
  try {
    checkSize(item, 'operation')
    return operationAsked(item, isSecret)
  } catch (error) {
    if (isRefusal(error)) return error
    throw error
  }
}

function problemOf(performed: Performed | undefined): ProblemError | null {
  return performed?.kind === 'refused' ? performed.problem : null
}
