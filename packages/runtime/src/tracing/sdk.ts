import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'
import { describeError } from '../logger.ts'
import type { TracingConfig } from './config.ts'
import { samplerOf } from './sampler.ts'
import { scrubbing } from './scrubbing.ts'
import type { Tracing } from './tracing.ts'

/** How often an export that fails is told, in milliseconds. */
const tellEveryMs = 60_000

const stopTimeoutMs = 3000

/** Registers the SDK for this process. Loaded by `startTracing` alone. */
export async function startSdk(
  program: { name: string; version: string },
  config: TracingConfig,
  logger: Logger,
): Promise<Tracing> {
  tellOfFailures(logger)
  const processor = new BatchSpanProcessor({
    exporter: scrubbing(await exporterOf(config)),
    scheduledDelayMillis: config.OTEL_BSP_SCHEDULE_DELAY,
  })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': config.OTEL_SERVICE_NAME ?? `pushkeep-${program.name}`,
      'service.version': program.version,
      'service.namespace': 'pushkeep',
    }),
    sampler: samplerOf(config),
    spanProcessors: [processor],
  })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(provider)
  return {
    async stop() {
      await Promise.race([provider.shutdown(), later(stopTimeoutMs)])
    },
  }
}

async function exporterOf(config: TracingConfig): Promise<SpanExporter> {
  // Where to, with what headers: read by the exporter itself.
  const { OTLPTraceExporter } =
    config.OTEL_EXPORTER_OTLP_PROTOCOL === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto')
  return new OTLPTraceExporter()
}

/** A collector that is away costs traces, and a line a minute. */
function tellOfFailures(logger: Logger): void {
  let quietUntil = 0
  setGlobalErrorHandler((error) => {
    const now = performance.now()
    if (now < quietUntil) return
    quietUntil = now + tellEveryMs
    logger.warn({ event: 'tracing.export-failed', err: describeError(error) })
  })
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
