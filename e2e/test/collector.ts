import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'

const Value = z.union([
  z.object({ stringValue: z.string() }).transform(({ stringValue }) => stringValue),
  z
    .object({ intValue: z.union([z.int(), z.string()]) })
    .transform(({ intValue }) => Number(intValue)),
  z.unknown(),
])
const Attribute = z.object({ key: z.string(), value: Value })

const attributesOf = (list: z.infer<typeof Attribute>[]) =>
  Object.fromEntries(list.map(({ key, value }) => [key, value]))

const Body = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(Attribute).transform(attributesOf) }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              name: z.string(),
              kind: z.int(),
              attributes: z.array(Attribute).transform(attributesOf),
            }),
          ),
        }),
      ),
    }),
  ),
})

/** One span, as a collector gets it. */
export interface CollectedSpan {
  service: unknown
  traceId: string
  spanId: string
  parentSpanId: string | null
  name: string
  kind: number
  attributes: Record<string, unknown>
}

/** The numbers of the protocol. */
export const spanKinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 }

export interface Collector extends AsyncDisposable {
  /** What processes are to have in their environment. */
  environment: Record<string, string>
  spans: CollectedSpan[]
  /** Every body as it came. */
  text(): string
}

/** A collector of traces (OTLP over HTTP, as JSON) in this process. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = []
  const bodies: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      bodies.push(text)
      if (request.url === '/v1/traces') spans.push(...spansOf(text))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '100',
    },
    spans,
    text: () => bodies.join('\n'),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function spansOf(text: string): CollectedSpan[] {
  return Body.parse(JSON.parse(text)).resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ parentSpanId, ...span }) => ({
        service: resource.attributes['service.name'],
        ...span,
        parentSpanId: parentSpanId || null,
      })),
    ),
  )
}
