import { z } from 'zod'
import { integer } from '../config.ts'

const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const

const url = () => z.url('must be a URL').optional()

/**
 * The variables of OpenTelemetry that decide whether and how much is traced. The exporter itself
 * reads the others of `OTEL_EXPORTER_OTLP_*` (headers, timeout, compression).
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export const tracingConfig = {
  OTEL_EXPORTER_OTLP_ENDPOINT: url(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url(),
  OTEL_EXPORTER_OTLP_PROTOCOL: z
    .enum(['http/protobuf', 'http/json'], 'must be http/protobuf or http/json')
    .prefault('http/protobuf'),
  OTEL_SERVICE_NAME: z.string().optional(),
  OTEL_TRACES_SAMPLER: z
    .enum(samplers, `must be one of ${samplers.join(', ')}`)
    .prefault('parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'must be a share from 0 to 1')
    .transform(Number)
    .prefault('1'),
  OTEL_BSP_SCHEDULE_DELAY: integer({ min: 10, max: 60_000 }).prefault('5000'),
}

export type TracingConfig = z.infer<z.ZodObject<typeof tracingConfig>>

/** Whether there is anywhere to send traces to. */
export function isTraced(config: TracingConfig): boolean {
  return (
    config.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined ||
    config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT !== undefined
  )
}
