import type { Behaviour, Refusal } from './behaviours.ts'
import { type Arrival, FATE } from './journal/arrival.ts'
import type { Ledger } from './journal/ledger.ts'
import type { Answer, Reply } from './network/reply.ts'

/** NGHTTP2_INTERNAL_ERROR: unlike REFUSED_STREAM it leaves open whether the request was processed. */
const RESET_CODE = 2

/** A refusal in a provider's own words. */
export interface RefusalAnswer extends Answer {
  reason: string
}

/** One request that passed all checks, and how its provider words an answer. */
export interface Request {
  arrival: Arrival
  reply: Reply
  /** Ms before any answer. */
  delayMs: number
  accepted: () => Answer
  refused: (refusal: Refusal) => RefusalAnswer
}

/** Records a request and answers it, or not, as its behaviour says. */
export function perform(ledger: Ledger, request: Request, behaviour: Behaviour | null): void {
  const { arrival, reply, delayMs } = request
  switch (behaviour?.kind) {
    case undefined:
    case 'environment':
      accept(ledger, request, 0)
      break
    case 'slow':
      accept(ledger, request, behaviour.delay_ms)
      break
    case 'no-answer':
      ledger.record(arrival, 0, 'no-answer', FATE.refused)
      break
    case 'reset':
      ledger.record(arrival, 0, 'reset', FATE.refused)
      after(delayMs, () => reply.reset(behaviour.code ?? RESET_CODE))
      break
    case 'lose-answer':
      ledger.record(arrival, 200, 'lost-answer', FATE.lost)
      after(delayMs, () => reply.lose())
      break
    case 'unregistered':
    case 'expired':
    case 'bad-token':
    case 'wrong-topic':
    case 'throttled':
    case 'status':
      refuse(ledger, request, request.refused(behaviour))
      break
    default:
      behaviour satisfies never
  }
}

/** Records and answers a request that did not pass. */
export function refuse(
  ledger: Ledger,
  request: Pick<Request, 'arrival' | 'reply' | 'delayMs'>,
  answer: RefusalAnswer,
): void {
  ledger.record(request.arrival, answer.status, answer.reason, FATE.refused)
  after(request.delayMs, () => request.reply.send(answer))
}

/** A request counts as accepted once it has arrived, however long its answer takes. */
function accept(ledger: Ledger, request: Request, slowMs: number): void {
  ledger.record(request.arrival, 200, '', FATE.accepted)
  after(request.delayMs + slowMs, () => request.reply.send(request.accepted()))
}

function after(ms: number, act: () => void): void {
  // Not waiting for anybody's answer may keep a closing process alive.
  if (ms > 0) setTimeout(act, ms).unref()
  else act()
}
