import { type IdentityMode, strictestMode } from '@pushkeep/domain'
import { type Finding, ok, warning } from '../finding.ts'

/** What an app asks of the phones that name a person. */
export interface IdentitySeen {
  app: { id: string; name: string }
  mode: IdentityMode
  /** How many keys its identity tokens may be signed with. */
  keys: number
}

const addKey = 'pushkeep app identity add <app> (docs/api.md, Identity tokens)'

/**
 * Whether public keys have to prove whom they speak for, workspace by workspace: the strictest mode of its
 * apps holds. `localAppId`: the app that `./scripts/start` made, which is open on purpose.
 */
export function judgeIdentities(
  workspaces: readonly (readonly IdentitySeen[])[],
  localAppId: string | null,
): Finding[] {
  const findings = workspaces
    .filter((apps) => apps.length > 0)
    .flatMap((apps) => judgeWorkspace(apps, localAppId))
  return findings.length > 0 ? findings : [ok('identity', 'public keys need identity tokens')]
}

function judgeWorkspace(apps: readonly IdentitySeen[], localAppId: string | null): Finding[] {
  const mode = strictestMode(apps.map((app) => app.mode))
  if (mode !== 'required') return apps.map((seen) => judgeOpen(seen, localAppId))
  if (apps.some(({ keys }) => keys > 0)) return apps.filter(isLaxer).map(heldToTheStrictest)
  const names = apps.map(({ app }) => nameOf(app)).join(', ')
  const said = `${names}: identity tokens are required, and there is no key to check them with: calls of phones that name a person are refused`
  return [warning('identity', said, addKey)]
}

function isLaxer({ mode }: IdentitySeen): boolean {
  return mode !== 'required'
}

function heldToTheStrictest({ app, mode }: IdentitySeen): Finding {
  const said = `${nameOf(app)} has identity mode ${mode} and is held to required, the strictest of its workspace`
  return ok('identity', said)
}

function judgeOpen({ app, mode }: IdentitySeen, localAppId: string | null): Finding {
  const said = `${nameOf(app)} is open: its public key names any person (identity mode ${mode})`
  if (app.id === localAppId) return ok('identity', `${said}, as ./scripts/start made it`)
  const todo = `${addKey}, then pushkeep app identity mode ${app.id} required`
  return warning('identity', said, todo)
}

function nameOf({ name, id }: IdentitySeen['app']): string {
  return `${name} (${id})`
}
