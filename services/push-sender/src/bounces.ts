import type { Provider } from '@pushkeep/domain'
import { invalid, notFound } from '@pushkeep/runtime'
import { type Actor, type App, audit, type Database, decideBounces } from '@pushkeep/store'

/** What a caller decides about tokens that were retired. Times in ms since the epoch. */
export interface BounceWish {
  decision: 'keep' | 'undo'
  from?: number | undefined
  to?: number | undefined
}

/** Carries a decision about retired tokens out, and writes it down. 404 where the app has no such provider. */
export async function decideAboutBounces(
  database: Database,
  actor: Actor,
  app: Pick<App, 'appNo' | 'id'>,
  provider: Provider,
  { decision, ...wanted }: BounceWish,
): Promise<{ restored: number }> {
  const { appNo, id } = app
  const times = { from: wanted.from ?? null, to: wanted.to ?? null }
  if (times.from !== null && times.to !== null && times.from >= times.to) {
    throw invalid([{ path: 'to', message: 'must be after from' }])
  }
  const decided = await decideBounces(database, { appNo, provider, decision, ...times })
  if (!decided) throw notFound('unknown_provider', `the app has no credentials for ${provider}`)
  await audit(database, {
    actor,
    action: 'provider.bounces',
    target: { kind: 'app', id },
    appNo,
    detail: { provider, decision, restored: decided.restored, ...inWords(times) },
  })
  return decided
}

/** Times as the audit log has them. */
function inWords(times: { from: number | null; to: number | null }) {
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
  return { from: iso(times.from), to: iso(times.to) }
}
