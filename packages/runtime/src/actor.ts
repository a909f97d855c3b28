import type { Actor } from '@pushkeep/store'
import type { Caller } from './authentication.ts'

/** Who acts, as the audit log names a key. */
export function actorOf({ workspaceNo, keyId, keyName, role, address }: Caller): Actor {
  return { workspaceNo, key: { id: keyId, name: keyName, role }, address: address ?? null }
}
