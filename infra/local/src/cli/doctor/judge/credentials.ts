import { type CredentialFinding, type Provider, verdictOf } from '@pushkeep/domain'
import type { CauseOfPause, SealedTexts } from '@pushkeep/store'
import { counted, duration, type Finding, ok, problem, warning } from '../finding.ts'

/** An app's credentials for one provider. Times in ms since the epoch. */
export interface LaneSeen {
  app: { id: string; name: string }
  provider: Provider
  /** `unseen`: the key that they are sealed with is not known here. */
  opened: { kind: 'ok' } | { kind: 'unseen' } | { kind: 'flawed'; reason: string }
  /** What the provider says of them; null: it was not asked. */
  findings: readonly CredentialFinding[] | null
  paused: { reason: string; cause: CauseOfPause | null } | null
  /** The mass-bounce guard has tripped. */
  isGuarded: boolean
  storedAt: number
  /** When they end, where somebody has said so. */
  expiresAt: number | null
}

export interface CredentialsSeen {
  lanes: readonly LaneSeen[]
  /** Apps with credentials for neither provider. */
  without: readonly { id: string; name: string }[]
  /** By the key that they are under; null: no key is known here. */
  sealed: SealedTexts | null
}

const dayMs = 86_400_000
const soonDays = 14
const oldDays = 365

export function judgeCredentials(
  { lanes, without, sealed }: CredentialsSeen,
  now: number,
): Finding[] {
  if (lanes.length + without.length === 0) {
    const todo = 'pushkeep workspace create <name>, pushkeep app create <name>'
    return [warning('credentials', 'there is no app yet', todo)]
  }
  return [
    ...judgeSealed(sealed),
    ...lanes.map((lane) => judgeLane(lane, now)),
    ...without.map(({ id, name }) =>
      warning(
        'credentials',
        `${name} (${id}) has none: nothing can be sent to it`,
        'pushkeep app credentials apns|fcm',
      ),
    ),
  ]
}

/** Where all are under the key in use, there is nothing to say. */
function judgeSealed(sealed: SealedTexts | null): Finding[] {
  if (sealed === null || sealed.earlier === 0) return []
  const said = `${counted(sealed.earlier, 'credential is', 'credentials are')} still sealed with an earlier encryption key`
  const todo = 'pushkeep encryption rotate (docs/operations.md, Rotating keys)'
  return [warning('encryption', said, todo)]
}

/** What is worst about a lane. */
function judgeLane(lane: LaneSeen, now: number): Finding {
  const { app, provider, opened, paused, isGuarded } = lane
  const name = `${provider} of ${app.name} (${app.id})`
  if (opened.kind === 'flawed') {
    const todo = `store them again: pushkeep app credentials ${provider}`
    return problem('credentials', `${name}: ${opened.reason}`, todo)
  }
  if (paused) {
    const todo = `mend it, then pushkeep app resume ${app.id} ${provider} (docs/runbooks/lane-paused.md)`
    return problem('credentials', `${name} is paused: ${paused.reason}${ledBy(paused.cause)}`, todo)
  }
  if (isGuarded) {
    const said = `${name} retires no token: the mass-bounce guard has tripped`
    const todo = `pushkeep app bounces ${app.id} ${provider} undo|keep (docs/runbooks/mass-bounce-guard.md)`
    return problem('credentials', said, todo)
  }
  return judgeEnd(lane, name, now) ?? judgeAnswer(lane, name) ?? judgeAge(lane, name, now)
}

/** Which delivery led to the pause, and how many agreed. */
function ledBy(cause: CauseOfPause | null): string {
  if (cause === null) return ''
  const { messageId, deviceNo, agreed } = cause
  const people = agreed > 1 ? `; devices of ${agreed} people got the same answer` : ''
  return ` (message ${messageId ?? 'not kept'}, device ${deviceNo}${people})`
}

function judgeEnd({ expiresAt, provider }: LaneSeen, name: string, now: number): Finding | null {
  if (expiresAt === null || expiresAt - now > soonDays * dayMs) return null
  const todo = `store new ones: pushkeep app credentials ${provider} (docs/operations.md, Rotating keys)`
  const when = duration(Math.abs(expiresAt - now) / 1000)
  return expiresAt <= now
    ? problem('credentials', `${name} ended ${when} ago`, todo)
    : warning('credentials', `${name} end in ${when}`, todo)
}

function judgeAnswer({ findings, provider }: LaneSeen, name: string): Finding | null {
  if (findings === null) return null
  const verdict = verdictOf(findings)
  if (verdict === 'works') return null
  const reasons = [...new Set(findings.map(({ reason }) => reason ?? 'no reason'))].join(', ')
  return verdict === 'refused'
    ? problem(
        'credentials',
        `${name} are refused: ${reasons}`,
        `see this machine's clock, and at the provider whether the key still stands; store new ones: pushkeep app credentials ${provider}`,
      )
    : warning(
        'credentials',
        `${name} could not be tried from here: ${reasons}`,
        'see whether this machine reaches the provider, or use the Check button of the console',
      )
}

function judgeAge({ opened, findings, storedAt }: LaneSeen, name: string, now: number): Finding {
  const age = `stored ${duration((now - storedAt) / 1000)} ago`
  if (opened.kind === 'unseen') {
    const todo = 'set PUSHKEEP_ENCRYPTION_KEY to have them looked at'
    return warning('credentials', `${name}, ${age}, were not opened`, todo)
  }
  if (now - storedAt > oldDays * dayMs) {
    return warning(
      'credentials',
      `${name}, ${age}`,
      'rotate them (docs/runbooks/credential-old.md)',
    )
  }
  return ok('credentials', `${name}, ${age}${findings === null ? '' : ', are taken'}`)
}
