import { context, propagation, trace } from '@opentelemetry/api'
import type { Logger } from 'pino'
import { isTraced, type TracingConfig } from './config.ts'

/** Traces that are being sent. */
export interface Tracing {
  /** Sends what is left, for a few seconds at most. */
  stop(): Promise<void>
}

/**
 * Traces by OpenTelemetry where the configuration names somebody to send to; null, and nothing
 * loaded, where it does not. Everything else uses `@opentelemetry/api`, which does nothing then.
 */
export async function startTracing(
  program: { name: string; version: string },
  config: TracingConfig,
  logger: Logger,
): Promise<Tracing | null> {
  if (!isTraced(config)) return null
  const { startSdk } = await import('./sdk.ts')
  return startSdk(program, config, logger)
}

/** The active trace as `traceparent` (W3C) has it, to be kept with work; null where none is. */
export function activeTraceparent(): string | null {
  const carrier: { traceparent?: string } = {}
  propagation.inject(context.active(), carrier)
  return carrier.traceparent ?? null
}

/** The id of the active trace, for a line in the log. */
export function activeTraceId(): string | undefined {
  return trace.getActiveSpan()?.spanContext().traceId
}
