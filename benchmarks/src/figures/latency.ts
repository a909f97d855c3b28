import { quantile } from '../report.ts'
import type { Scene } from '../scene.ts'

export interface LatencyResult {
  messages: number
  p50Ms: number
  p99Ms: number
  maxMs: number
}

interface Entry {
  at: number
  token: string
  status: number
}

/**
 * Messages to one person each, at a steady rate: from the moment the 202 is in the caller's hands to
 * the push's arrival at the simulator, by one machine's clock.
 */
export async function latency(
  scene: Scene,
  perSecond: number,
  count: number,
  seed: string,
): Promise<LatencyResult> {
  const { local } = scene
  const tokens = await seedPeople(scene, count, seed)
  await fetch(`${local.simulator_url}/received`, { method: 'DELETE' })
  const acceptedAt = new Map<string, number>()
  const began = performance.now()
  const calls: Promise<void>[] = []
  for (const [n, token] of tokens.entries()) {
    const wait = began + (n * 1000) / perSecond - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    calls.push(
      scene
        .call('POST', `${local.sender_url}/v1/messages`, {
          to: { person_id: `${seed}-${n}` },
          content: { title: 'Your code', body: '123456' },
        })
        .then(() => void acceptedAt.set(token, Date.now())),
    )
  }
  await Promise.all(calls)
  await fetch(`${local.simulator_url}/received/wait?accepted=${count}&timeout_ms=30000`)
  const times = await arrivals(local.simulator_url, acceptedAt)
  if (times.length !== count) throw new Error(`${times.length} of ${count} arrived`)
  return {
    messages: count,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    maxMs: times.at(-1) ?? 0,
  }
}

/** Waiting times, sorted. A push may arrive before its 202 does: that is no wait. */
async function arrivals(simulator: string, acceptedAt: Map<string, number>): Promise<number[]> {
  const times: number[] = []
  let after = 0
  for (;;) {
    const page = (await (
      await fetch(`${simulator}/received?limit=1000&after=${after}`)
    ).json()) as (Entry & { seq: number })[]
    for (const entry of page) {
      after = entry.seq
      const accepted = acceptedAt.get(entry.token)
      if (accepted !== undefined) times.push(Math.max(0, entry.at - accepted))
    }
    if (page.length === 0) return times.toSorted((a, b) => a - b)
  }
}

/** Stores people with an iPhone each, `<seed>-0` and on; returns the tokens in their order. */
export async function seedPeople(scene: Scene, count: number, seed: string): Promise<string[]> {
  const { rows } = await scene.database.query<{ token: string }>(
    `with person as (
       insert into people (workspace_no, id)
       select $1, $3 || '-' || n from generate_series(0, $2::int - 1) n
       returning person_no, id
     ), device as (
       insert into devices (app_no, token_hash, token, platform, provider, person_no, last_used,
                            registered_at, ordered_at)
       select $4, substr(encode(sha256(convert_to(token, 'UTF8')), 'hex'), 1, 32)::uuid, token,
              'ios', 'apns', person_no, 0, now(), now()
       from (select person_no, encode(sha256(convert_to(id, 'UTF8')), 'hex') as token from person) t
       returning person_no, token
     )
     select token from device join person using (person_no)
     order by substring(id from '[0-9]+$')::int`,
    [scene.workspaceNo, count, seed, scene.appNo],
  )
  return rows.map((row) => row.token)
}
