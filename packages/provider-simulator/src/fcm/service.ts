import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Behaviour } from '../behaviours.ts'
import type { Conduct } from '../conduct.ts'
import type { FcmFaults } from '../faults.ts'
import { type Arrival, REPEAT_BY, SOURCE_CODE } from '../journal/arrival.ts'
import type { Ledger } from '../journal/ledger.ts'
import type { Connection } from '../network/connection.ts'
import type { StreamHandler } from '../network/listener.ts'
import { type Answer, Http1Reply, type Reply, StreamReply } from '../network/reply.ts'
import { perform, type RefusalAnswer, refuse } from '../perform.ts'
import { RateLimit } from '../rate-limit.ts'
import { checkBearer } from './authorization.ts'
import { BODY_BYTES_MAX, Collected } from './body.ts'
import { fcmAnswer, gatewayError, quotaExceeded, unreadable } from './errors.ts'
import { type FcmMessage, readMessage } from './message.ts'
import { grantToken, type OAuthWorld, oauthError } from './oauth.ts'

const SEND_PATH = /^\/v1\/projects\/([^/%?]+)\/messages:send$/

/** What FCM is made of. */
export interface FcmWorld extends OAuthWorld {
  conduct: Conduct<FcmFaults>
  ledger: Ledger
}

/** One request of which everything has arrived, over either protocol. */
interface Call {
  connection: Connection
  reply: Reply
  method: string
  path: string
  authorization: string
  body: Buffer
}

/** Answers `messages:send` and the OAuth token endpoint. */
export class FcmService {
  readonly #world: FcmWorld
  readonly #projectLimit = new RateLimit()
  #names = 0

  constructor(world: FcmWorld) {
    this.#world = world
  }

  /** Prepares for the requests of one HTTP/2 connection. */
  open(connection: Connection): StreamHandler {
    return (stream, headers) => {
      const collected = new Collected()
      stream.on('data', (chunk: Buffer) => collected.add(chunk))
      stream.on('end', () => {
        this.#answer({
          connection,
          reply: new StreamReply(connection, stream),
          method: headers[':method'] ?? '',
          path: headers[':path'] ?? '',
          authorization: headers.authorization ?? '',
          body: collected.whole(),
        })
      })
    }
  }

  /** Takes one HTTP/1.1 request. */
  take(connection: Connection, request: IncomingMessage, response: ServerResponse): void {
    const collected = new Collected()
    request.on('data', (chunk: Buffer) => collected.add(chunk))
    request.on('end', () => {
      if (connection.silenced) return
      this.#answer({
        connection,
        reply: new Http1Reply(connection, response),
        method: request.method ?? '',
        path: request.url ?? '',
        authorization: request.headers.authorization ?? '',
        body: collected.whole(),
      })
    })
  }

  /** Forgets what the project limit has counted. */
  reset(): void {
    this.#projectLimit.clear()
  }

  #answer(call: Call): void {
    const projectId = SEND_PATH.exec(call.path)?.[1]
    if (call.method === 'POST' && projectId !== undefined) this.#send(call, projectId)
    else if (call.method === 'POST' && call.path === '/token') call.reply.send(this.#grant(call))
    else call.reply.send(gatewayError(404, 'The requested URL was not found on this server.'))
  }

  #grant({ body }: Call): Answer {
    const { oauth } = this.#world.conduct.faults
    if (oauth === null) return grantToken(this.#world, body.toString())
    return oauthError(oauth.status, oauth.error, 'The simulator was told to fail.')
  }

  #send(call: Call, projectId: string): void {
    const { conduct, ledger } = this.#world
    const message = readMessage(call.body.toString())
    const id = this.#newName()
    const arrival = arrivalOf(message, id, projectId, call)
    const name = `projects/${projectId}/messages/${message.validateOnly ? 'fake_message_id' : id}`
    const request = {
      ...{ arrival, reply: call.reply, delayMs: conduct.faults.delay_ms, refused: fcmAnswer },
      accepted: () => ({ status: 200, headers: JSON_TYPE, body: `{"name":"${name}"}` }),
    }
    const refused = this.#check(call, projectId, message)
    const behaviour = refused === null ? conduct.next(message.token) : null
    if (refused !== null) refuse(ledger, request, refused)
    // A dry run is checked like any other message, and leaves no trace where it would be sent.
    else if (message.validateOnly && isSending(behaviour)) call.reply.send(request.accepted())
    else perform(ledger, request, behaviour)
  }

  #check(call: Call, projectId: string, message: FcmMessage): RefusalAnswer | null {
    const unauthorized = checkBearer(this.#world, call.authorization, projectId)
    if (unauthorized !== null) return unauthorized
    if (call.body.length > BODY_BYTES_MAX) {
      return unreadable('', 'Request payload size exceeds the limit.')
    }
    return message.refused ?? this.#overQuota(projectId)
  }

  #overQuota(projectId: string): RefusalAnswer | null {
    const limit = this.#world.conduct.faults.project_limit
    if (limit === null) return null
    const wait = this.#projectLimit.take(projectId, limit, this.#world.now())
    return wait === null ? null : quotaExceeded('project', wait)
  }

  #newName(): string {
    this.#names += 1
    return `0:${this.#world.now()}%${PROCESS_TAG}${this.#names.toString(16)}`
  }
}

const JSON_TYPE = { 'content-type': 'application/json; charset=UTF-8' }
const PROCESS_TAG = randomBytes(4).toString('hex')

function isSending(behaviour: Behaviour | null): boolean {
  return behaviour === null || behaviour.kind === 'slow' || behaviour.kind === 'environment'
}

function arrivalOf(message: FcmMessage, id: string, projectId: string, call: Call): Arrival {
  const { token, collapseId, messageId } = message
  const byCollapseId = collapseId === '' ? REPEAT_BY.nothing : REPEAT_BY.collapseId
  return {
    ...{ source: SOURCE_CODE.fcm, connection: call.connection.id },
    ...{ token, id, collapseId, messageId },
    repeatBy: messageId === '' ? byCollapseId : REPEAT_BY.messageId,
    topic: projectId,
    pushType: '',
    body: call.body,
  }
}
