import { invalid, noteRequest } from '@pushkeep/runtime'
import { tokenFingerprint } from '@pushkeep/store'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { publicKeys, secretKeys } from '../../access.ts'
import type { OpenGate } from '../../identity/gate.ts'
import type { Action, Asked } from '../action.ts'
import { callOf } from '../caller.ts'
import { metricAction } from '../metric.ts'
import { isObject, knownPersonNamed, oneKnownPerson, personNamed } from '../people.ts'
import { type PerformDeps, perform, performOne } from '../perform.ts'
import { publicHostOf } from '../public-host.ts'
import { unsupported } from '../refusal.ts'
import { eventAsked } from './event.ts'
import { deviceAction, identifyAction } from './person.ts'
import { bodyLimit } from './scope.ts'

export interface TrackDeps extends PerformDeps {
  openGate: OpenGate
  /** Host, and path if any, by which clients reach the registry; null: as they named it. */
  publicHost: string | null
}

type Request = FastifyRequest<{ Params: Record<string, string>; Body: unknown }>

const hide = { hide: true } as const
const publicRoute = { config: publicKeys, schema: hide, bodyLimit }
const secretRoute = { config: secretKeys, schema: hide, bodyLimit }

/** Track API v1 below `/api/v1`. Each answers 200 with `{}`, which is what its clients wait for. */
export function trackV1Routes(scope: FastifyInstance, deps: TrackDeps): void {
  const { openGate } = deps

  async function answer(request: FastifyRequest, action: Action): Promise<object> {
    if ('token' in action) noteRequest(request, { device: tokenFingerprint(action.token) })
    await performOne(deps, await callOf(request, openGate), action)
    return {}
  }

  async function track(request: FastifyRequest, asked: Asked): Promise<object> {
    const [performed] = await perform(deps, await callOf(request, openGate), [asked])
    if (performed?.kind === 'refused') throw performed.problem
    return {}
  }

  scope.get('/api/v1/accounts/region', secretRoute, async (request) => {
    const { caller } = await callOf(request, openGate)
    const url = `${request.protocol}://${publicHostOf(request, deps.publicHost)}`
    return { url, region: 'us', environment_id: caller.workspaceNo }
  })

  scope.put('/api/v1/customers/:identifier', publicRoute, (request: Request) =>
    answer(request, identifyAction(identifierIn(request), request.body, '')),
  )
  scope.delete('/api/v1/customers/:identifier', secretRoute, (request: Request) =>
    answer(request, { kind: 'delete-person', person: knownPersonIn(request) }),
  )
  for (const kind of ['suppress', 'unsuppress'] as const) {
    scope.post(`/api/v1/customers/:identifier/${kind}`, secretRoute, (request: Request) =>
      answer(request, { kind, person: knownPersonIn(request) }),
    )
  }

  scope.put('/api/v1/customers/:identifier/devices', publicRoute, (request: Request) => {
    const device = isObject(request.body) ? request.body.device : undefined
    return answer(request, deviceAction(personIn(request), device, 'id'))
  })
  scope.delete('/api/v1/customers/:identifier/devices/:token', publicRoute, (request: Request) => {
    const { token = '' } = request.params
    return answer(request, {
      kind: 'delete-device',
      person: knownPersonIn(request),
      token,
      at: null,
    })
  })

  scope.post('/api/v1/customers/:identifier/events', publicRoute, (request: Request) =>
    track(request, eventAsked({ person: personIn(request) }, request.body, 'data')),
  )
  scope.post('/api/v1/events', publicRoute, (request: Request) => {
    const anonymousId = isObject(request.body) ? request.body.anonymous_id : undefined
    return track(request, eventAsked({ anonymousId }, request.body, 'data'))
  })
  scope.post('/api/v1/merge_customers', secretRoute, (request: Request) =>
    answer(request, mergeAction(request.body)),
  )

  scope.post('/api/v1/metrics', publicRoute, (request: Request) =>
    answer(request, metricOf(request.body)),
  )
  // The older clients post to the root.
  for (const url of ['/api/v1/push/events', '/push/events']) {
    scope.post(url, publicRoute, (request: Request) => answer(request, pushMetricOf(request.body)))
  }

  for (const [method, url, what] of refused) {
    scope.route({ method, url, ...publicRoute, handler: () => Promise.reject(unsupported(what)) })
  }
}

/** What Customer.io has beside people, devices, pushes and their metrics. */
const refused = [
  ['POST', '/api/v1/cio_deliveries/events', 'metrics of in-app messages'],
  ['POST', '/api/v1/segments/:id/add_customers', 'segments made by hand'],
  ['POST', '/api/v1/segments/:id/remove_customers', 'segments made by hand'],
  ['POST', '/api/v1/forms/:id/submit', 'forms'],
  ['POST', '/unsubscribe/:id', 'links to unsubscribe'],
] as const

function identifierIn({ params: { identifier = '' } }: Request): string {
  return identifier
}

function personIn(request: Request) {
  return personNamed(identifierIn(request), 'identifier')
}

function knownPersonIn(request: Request) {
  return knownPersonNamed(identifierIn(request), 'identifier')
}

function mergeAction(body: unknown): Action {
  const { primary, secondary } = isObject(body) ? body : {}
  return {
    kind: 'merge',
    primary: oneKnownPerson(primary, 'primary'),
    secondary: oneKnownPerson(secondary, 'secondary'),
  }
}

function metricOf(body: unknown): Action {
  const { delivery_id: deliveryId, metric, recipient: token, timestamp } = objectOf(body)
  const names = { deliveryId: 'delivery_id', metric: 'metric', token: 'recipient' }
  return metricAction({ deliveryId, metric, token, timestamp }, names)
}

function pushMetricOf(body: unknown): Action {
  const { delivery_id: deliveryId, event: metric, device_id: token, timestamp } = objectOf(body)
  const names = { deliveryId: 'delivery_id', metric: 'event', token: 'device_id' }
  return metricAction({ deliveryId, metric, token, timestamp }, names)
}

function objectOf(body: unknown): Record<string, unknown> {
  if (isObject(body)) return body
  throw invalid([{ path: 'body', message: 'must be an object' }])
}
