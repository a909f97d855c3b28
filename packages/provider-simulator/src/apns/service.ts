import { randomUUID } from 'node:crypto'
import type { ServerHttp2Stream } from 'node:http2'
import type { Behaviour, Refusal } from '../behaviours.ts'
import type { Conduct } from '../conduct.ts'
import type { ApnsFaults } from '../faults.ts'
import { FATE, SOURCE_CODE } from '../journal/arrival.ts'
import type { Ledger } from '../journal/ledger.ts'
import type { Connection } from '../network/connection.ts'
import type { StreamHandler } from '../network/listener.ts'
import { type Answer, StreamReply } from '../network/reply.ts'
import { perform, refuse } from '../perform.ts'
import type { ApnsEnvironment, CredentialRegistry } from '../registry.ts'
import { apnsAnswer, apnsRefusal } from './answers.ts'
import { ConnectionAuthorization } from './authorization.ts'
import { checkHeaders } from './headers.ts'
import type { ProviderTokens } from './provider-token.ts'
import { ApnsPush, DEVICE_PATH, PAYLOAD_BYTES_MAX, VOIP_PAYLOAD_BYTES_MAX } from './push.ts'
import type { ApnsReason } from './reasons.ts'

/** APNs sends no date. */
const WITHOUT_BODY = { endStream: true, sendDate: false }

const HEX = /^[0-9a-f]+$/i

/** What one APNs environment is made of. */
export interface ApnsWorld {
  environment: ApnsEnvironment
  registry: CredentialRegistry
  tokens: ProviderTokens
  conduct: Conduct<ApnsFaults>
  ledger: Ledger
  now: () => number
  /** Raises the stream limit of a connection that has shown a valid token. */
  warm: (connection: Connection) => void
}

/** Answers the requests of one APNs environment. */
export class ApnsService {
  readonly #world: ApnsWorld

  constructor(world: ApnsWorld) {
    this.#world = world
  }

  /** Prepares for one connection's requests. */
  open(connection: Connection): StreamHandler {
    const { warm, conduct, environment } = this.#world
    const source = SOURCE_CODE[environment]
    const authorization = new ConnectionAuthorization(
      { ...this.#world, faults: conduct.faults },
      () => warm(connection),
    )
    return (stream, headers) => {
      let push: ApnsPush | null = new ApnsPush(source, connection.id, headers)
      stream.on('data', (chunk: Buffer) => push?.add(chunk))
      stream.on('end', () => {
        const arrived = push
        // A closed stream outlives the next collections of young garbage, and with it all that its
        // listeners hold on to: headers and payload would cost 4 µs a request.
        push = null
        if (arrived !== null) this.#answer(arrived, connection, stream, authorization)
      })
    }
  }

  #answer(
    push: ApnsPush,
    connection: Connection,
    stream: ServerHttp2Stream,
    authorization: ConnectionAuthorization,
  ): void {
    const { conduct, ledger } = this.#world
    const reason = this.#check(push, authorization)
    const behaviour = reason === null ? conduct.next(push.token) : null
    if (reason === null && behaviour === null && conduct.faults.delay_ms === 0) {
      // The way of nearly every push in a benchmark: no closure, no timer.
      ledger.record(push, 200, '', FATE.accepted)
      this.#accept(stream, push.id)
      return
    }
    this.#answerOtherwise(push, new StreamReply(connection, stream), reason, behaviour)
  }

  #answerOtherwise(
    push: ApnsPush,
    reply: StreamReply,
    reason: ApnsReason | null,
    behaviour: Behaviour | null,
  ): void {
    const { conduct, ledger, now } = this.#world
    const request = {
      arrival: push,
      reply,
      delayMs: conduct.faults.delay_ms,
      accepted: () => this.#accepted(push.id),
      refused: (refusal: Refusal) => apnsAnswer(push.id, refusal, now()),
    }
    if (reason !== null) refuse(ledger, request, apnsRefusal(push.id, reason))
    else perform(ledger, request, this.#inThisEnvironment(behaviour))
  }

  /** The first thing wrong with a push, in the order in which APNs looks. */
  #check(push: ApnsPush, authorization: ConnectionAuthorization): ApnsReason | null {
    const { headers, path, token, bytes } = push
    if (headers[':method'] !== 'POST') return 'MethodNotAllowed'
    if (token === '') {
      return path === '/3/device' || path === DEVICE_PATH ? 'MissingDeviceToken' : 'BadPath'
    }
    const unauthorized = authorization.check(headers.authorization)
    if (unauthorized !== null) return unauthorized
    const malformed = checkHeaders(push, authorization.teamId, this.#world.registry)
    if (malformed !== null) return malformed
    if (bytes === 0) return 'PayloadEmpty'
    const most = push.pushType === 'voip' ? VOIP_PAYLOAD_BYTES_MAX : PAYLOAD_BYTES_MAX
    if (bytes > most) return 'PayloadTooLarge'
    return HEX.test(token) ? null : 'BadDeviceToken'
  }

  #accept(stream: ServerHttp2Stream, id: string): void {
    if (stream.destroyed || stream.closed) return
    // A list of names and values spares Node the copying of an object: 1 µs a request.
    const headers = [':status', '200', 'apns-id', id]
    if (this.#world.environment === 'sandbox') headers.push('apns-unique-id', randomUUID())
    stream.respond(headers, WITHOUT_BODY)
  }

  #accepted(id: string): Answer {
    const unique = this.#world.environment === 'sandbox' ? { 'apns-unique-id': randomUUID() } : {}
    return { status: 200, headers: { 'apns-id': id, ...unique }, body: '' }
  }

  /** A token of the other environment is one that this environment does not know. */
  #inThisEnvironment(behaviour: Behaviour | null): Behaviour | null {
    if (behaviour?.kind !== 'environment') return behaviour
    return behaviour.environment === this.#world.environment ? null : { kind: 'bad-token' }
  }
}
