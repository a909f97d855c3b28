import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'

/** What a process counts, served at `/metrics` of its operations port. */
export interface Metrics {
  /** Where counters and gauges are registered. */
  registry: Registry
  /** Adds lines in the text format that do not come from the registry; asked for at each scrape. */
  add(source: () => string): void
  /** All of it in Prometheus' text format. Asks neither the database nor a queue. */
  text(): Promise<string>
}

/** The content type of `text()`. */
export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE

/** The metrics of a process, with those of Node (event loop lag, memory, garbage collection). */
export function createMetrics(process: { name: string; version: string }): Metrics {
  const registry = new Registry()
  const sources: (() => string)[] = []
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'pushkeep_build_info',
    help: 'Always 1; its labels say which program and version runs',
    labelNames: ['program', 'version'],
    registers: [registry],
  }).set({ program: process.name, version: process.version }, 1)
  return {
    registry,
    add: (source) => void sources.push(source),
    async text() {
      const parts = [await registry.metrics(), ...sources.map((source) => source())]
      return parts.filter((part) => part !== '').join('\n')
    },
  }
}
