import {
  type Context,
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { planQueue } from '@pushkeep/queues'
import { type Doorbell, type Sql, traceparentsOf } from '@pushkeep/store'
import type { ChunkReport } from './delivery/deliver.ts'
import type { Senders } from './delivery/senders.ts'

/** A doorbell with the trace that its work belongs to. */
export type TracedDoorbell = Doorbell & { traceparent?: string | undefined }

/**
 * Spans of what the workers do, where somebody collects them: one a doorbell, one a chunk, and in it
 * one for its pushes. Wrapped around relay and delivery, which know nothing of it.
 */
export interface WorkTracing {
  /** Says that these doorbells are rung, each in the trace of its message. */
  ring(sql: Sql, doorbells: readonly Doorbell[]): Promise<TracedDoorbell[]>
  /** Delivers a chunk in a span of its own. */
  deliver(chunkNo: string, work: () => Promise<void>): Promise<void>
  /** Tells the span of a chunk how it ended. */
  delivered(report: ChunkReport): void
  /** Makes one span of all pushes of a chunk. */
  measure(senders: Senders): Senders
}

export function createWorkTracing(tracer: Tracer = trace.getTracer('pushkeep')): WorkTracing {
  return {
    async ring(sql, doorbells) {
      const plans = doorbells.filter(({ queue }) => queue === planQueue)
      const chunks = doorbells.filter(({ queue }) => queue !== planQueue)
      const known = await traceparentsOf(sql, {
        messageNos: plans.map(({ ref }) => ref),
        chunkNos: chunks.map(({ ref }) => ref),
      })
      return doorbells.map((doorbell) => {
        const { queue, ref } = doorbell
        const traceparent = (queue === planQueue ? known.messages : known.chunks).get(ref)
        return { ...doorbell, traceparent: traceparent && rung(tracer, doorbell, traceparent) }
      })
    },

    deliver(chunkNo, work) {
      const span = tracer.startSpan('deliver chunk', { attributes: { 'pushkeep.chunk': chunkNo } })
      const pushes: Pushes = { span: null, lastAt: 0, outcomes: {} }
      const inside = trace.setSpan(context.active(), span).setValue(pushesKey, pushes)
      return context.with(inside, async () => {
        try {
          await work()
        } catch (error) {
          span.recordException(error instanceof Error ? error : new Error('unknown'))
          span.setStatus({ code: SpanStatusCode.ERROR })
          throw error
        } finally {
          endPushes(pushes)
          span.end()
        }
      })
    },

    delivered({ messageId, provider, lane, lease, sent, settled, pending, ended }) {
      trace.getActiveSpan()?.setAttributes({
        'pushkeep.message_id': messageId,
        'pushkeep.provider': provider,
        'pushkeep.lane': lane,
        'pushkeep.lease': lease,
        'pushkeep.sent': sent,
        'pushkeep.settled': settled,
        'pushkeep.pending': pending,
        'pushkeep.ended': ended,
      })
    },

    measure: (senders) => ({
      ...senders,
      async open(chunk, clock) {
        const sender = await senders.open(chunk, clock)
        const parent = context.active()
        const pushes = pushesOf(parent)
        if (!pushes) return sender
        return {
          ...sender,
          send(push, done) {
            pushes.span ??= startPushes(tracer, chunk.provider, parent)
            sender.send(push, (outcome) => {
              const name = `pushkeep.outcome.${outcome.kind}`
              pushes.outcomes[name] = (pushes.outcomes[name] ?? 0) + 1
              pushes.lastAt = Date.now()
              done(outcome)
            })
          },
        }
      },
    }),
  }
}

/** The pushes of the chunk that is being delivered. */
interface Pushes {
  span: Span | null
  /** When the last outcome came, ms since the epoch. */
  lastAt: number
  outcomes: Record<string, number>
}

const pushesKey = createContextKey('pushkeep pushes of a chunk')

function pushesOf(active: Context): Pushes | null {
  const value = active.getValue(pushesKey)
  return isPushes(value) ? value : null
}

function isPushes(value: unknown): value is Pushes {
  return typeof value === 'object' && value !== null && 'outcomes' in value
}

function startPushes(tracer: Tracer, provider: string, parent: Context): Span {
  const attributes = { 'pushkeep.provider': provider }
  return tracer.startSpan(`push ${provider}`, { kind: SpanKind.CLIENT, attributes }, parent)
}

function endPushes({ span, lastAt, outcomes }: Pushes): void {
  span?.setAttributes(outcomes)
  span?.end(lastAt === 0 ? undefined : lastAt)
}

/** A span for one doorbell; returns the `traceparent` that its job carries. */
function rung(tracer: Tracer, { queue, ref }: Doorbell, traceparent: string): string {
  const parent = propagation.extract(ROOT_CONTEXT, { traceparent })
  const attributes = { 'messaging.destination.name': queue, 'pushkeep.ref': ref }
  const span = tracer.startSpan(`ring ${queue}`, { kind: SpanKind.PRODUCER, attributes }, parent)
  span.end()
  const carrier: { traceparent?: string } = {}
  propagation.inject(trace.setSpan(parent, span), carrier)
  return carrier.traceparent ?? traceparent
}
