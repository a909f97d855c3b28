import type { Provider } from '@pushkeep/domain'
import { invalid, notFound } from '@pushkeep/runtime'
import { type Actor, type App, audit, type Database, decideBounces } from '@pushkeep/store'

/** What a caller decides about tokens that were retired. Times as ISO 8601. */
export interface BounceWish {
  decision: 'keep' | 'undo'
  from?: string | undefined
  to?: string | undefined
}

/** Carries a decision about retired tokens out, and writes it down. 404 where the app has no such provider. */
export async function decideAboutBounces(
  database: Database,
  actor: Actor,
  app: Pick<App, 'appNo' | 'id'>,
  provider: Provider,
  { decision, from, to }: BounceWish,
): Promise<{ restored: number }> {
  const ms = (time: string | undefined) => (time === undefined ? null : Date.parse(time))
  const { appNo, id } = app
  const times = { from: ms(from), to: ms(to) }
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
    detail: { provider, decision, restored: decided.restored, from: from ?? null, to: to ?? null },
  })
  return decided
}
