import type { FastifyInstance } from 'fastify'
import { FastHistogram, type HistogramSeries } from './fast-histogram.ts'
import type { Metrics } from './metrics.ts'

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Measures each request by method, route (its pattern, never its path) and status. */
export function observeRequests(app: FastifyInstance, metrics: Metrics): void {
  const histogram = new FastHistogram(metrics, {
    name: 'pushkeep_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: seconds,
  })
  const known = new Map<string, HistogramSeries>()
  app.addHook('onResponse', (request, reply, done) => {
    const { method } = request
    const route = request.routeOptions.url ?? 'unknown'
    const key = `${method} ${route} ${reply.statusCode}`
    let series = known.get(key)
    if (!series) {
      series = histogram.series({ method, route, status: String(reply.statusCode) })
      known.set(key, series)
    }
    series.observe(reply.elapsedTime / 1000)
    done()
  })
}
