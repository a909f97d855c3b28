import { SpanKind, trace } from '@opentelemetry/api'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace'
import type { TracingConfig } from './config.ts'

/** Which traces are kept, by `OTEL_TRACES_SAMPLER`. */
export function samplerOf({
  OTEL_TRACES_SAMPLER: name,
  OTEL_TRACES_SAMPLER_ARG: share,
}: TracingConfig): Sampler {
  switch (name) {
    case 'always_on':
      return withoutUpkeep(new AlwaysOnSampler())
    case 'always_off':
      return new AlwaysOffSampler()
    case 'traceidratio':
      return withoutUpkeep(new TraceIdRatioBasedSampler(share))
    case 'parentbased_always_on':
      return withoutUpkeep(new ParentBasedSampler({ root: new AlwaysOnSampler() }))
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() })
    case 'parentbased_traceidratio':
      return withoutUpkeep(new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }))
  }
}

/**
 * A trace begins with a request or a job, never with the upkeep of a queue: BullMQ makes a span of
 * each look for work and each sweep, several a second while nothing happens.
 */
function withoutUpkeep(sampler: Sampler): Sampler {
  return {
    shouldSample(parent, traceId, name, kind, attributes, links) {
      const isUpkeep =
        trace.getSpanContext(parent) === undefined &&
        (kind === SpanKind.INTERNAL || kind === SpanKind.PRODUCER)
      if (isUpkeep) return { decision: SamplingDecision.NOT_RECORD }
      return sampler.shouldSample(parent, traceId, name, kind, attributes, links)
    },
    toString: () => `WithoutUpkeep{${sampler.toString()}}`,
  }
}
