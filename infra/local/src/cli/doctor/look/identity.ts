import { appsOf, type Database, identitiesOf } from '@pushkeep/store'
import { allWorkspaces } from '../../queries.ts'
import type { IdentitySeen } from '../judge/identity.ts'

/** What the apps of each workspace ask of phones. */
export async function lookAtIdentities(database: Database): Promise<IdentitySeen[][]> {
  const workspaces: IdentitySeen[][] = []
  for (const { workspaceNo } of await allWorkspaces(database)) {
    const names = new Map(
      (await appsOf(database, workspaceNo)).map(({ appNo, name }) => [appNo, name]),
    )
    const identities = await identitiesOf(database, workspaceNo)
    workspaces.push(
      identities.map(({ appNo, appId, mode, keys }) => ({
        app: { id: appId, name: names.get(appNo) ?? '' },
        mode,
        keys: keys.length,
      })),
    )
  }
  return workspaces
}
