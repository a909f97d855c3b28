import type { ProcessSeen } from '../judge/processes.ts'
import { addressOf, type Place } from '../place.ts'

const timeoutMs = 3000

/** Asks each process that an address is known of, all at a time. */
export async function lookAtProcesses(place: Place): Promise<ProcessSeen[]> {
  return Promise.all([
    ...place.services.map(({ name, url }) => lookAt(name, url, null)),
    ...place.operations.map((url) => lookAt('process', url, `${url}/metrics`)),
  ])
}

/** `metricsUrl`: where it tells its name and version; null: nowhere at this address. */
async function lookAt(name: string, url: string, metricsUrl: string | null): Promise<ProcessSeen> {
  const address = addressOf(url)
  try {
    const before = Date.now()
    const health = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(timeoutMs) })
    const skewMs = skewOf(health.headers.get('date'), before, Date.now())
    await health.body?.cancel()
    const build = metricsUrl === null ? null : await buildOf(metricsUrl)
    const answer = { kind: 'answered', isReady: health.ok, version: build?.version ?? null, skewMs }
    return { name: build?.program ?? name, address, answer: { ...answer, kind: 'answered' } }
  } catch (error) {
    return { name, address, answer: { kind: 'silent', reason: reasonOf(error) } }
  }
}

/** `Date` names the second: the answer came in it, so that a part of one says nothing. */
function skewOf(date: string | null, before: number, after: number): number | null {
  const told = date === null ? Number.NaN : Date.parse(date)
  if (Number.isNaN(told)) return null
  if (told > after) return told - after
  return told + 1000 < before ? told + 1000 - before : 0
}

async function buildOf(url: string): Promise<{ program: string; version: string } | null> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) })
  const line = /^pushkeep_build_info\{program="([^"]+)",version="([^"]+)"\}/m.exec(
    await answer.text(),
  )
  return line?.[1] && line[2] ? { program: line[1], version: line[2] } : null
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  if (error.name === 'TimeoutError') return `nothing within ${timeoutMs / 1000} s`
  const { cause } = error
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.name
}
