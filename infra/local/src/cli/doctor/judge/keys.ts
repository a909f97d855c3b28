import type { KeySurvey, NotableKey } from '@pushkeep/store'
import { duration, type Finding, ok, problem, warning } from '../finding.ts'

/** A key that ends sooner than this is told of. */
export const soonDays = 14

/** Keys that end, keys that everyone can read, and whether the installation has an operator's key. */
export function judgeKeys(seen: KeySurvey, now: number): Finding[] {
  const findings = [
    ...(seen.workspaces > 0 && seen.installationKeys === 0 ? [withoutOperator] : []),
    ...seen.ending.map((key) => judgeEnd(key, now)),
    ...seen.exposed.map((key) => judgeExposure(key, now)),
  ]
  return findings.length > 0 ? findings : [ok('keys', 'none ends soon')]
}

const withoutOperator = warning(
  'keys',
  'no key belongs to an operator of the installation, who sees the queues and changes log levels',
  "pushkeep key create --installation --kind secret --role operate --name 'on call'",
)

function judgeEnd(key: NotableKey, now: number): Finding {
  const ms = key.at.getTime() - now
  const when = duration(Math.abs(ms) / 1000)
  const todo = `make another, give it to the programs that use this one, then pushkeep key revoke ${key.id}`
  return ms <= 0
    ? problem('keys', `${nameOf(key)} ended ${when} ago`, todo)
    : warning('keys', `${nameOf(key)} ends in ${when}`, todo)
}

function judgeExposure(key: NotableKey, now: number): Finding {
  const when = duration((now - key.at.getTime()) / 1000)
  return warning(
    'keys',
    `${nameOf(key)} came from a browser or an app ${when} ago, where everyone can read it`,
    `put a public key there, then pushkeep key revoke ${key.id}`,
  )
}

function nameOf({ name, id, kind }: NotableKey): string {
  return `the ${kind} key ${name} (${id})`
}
