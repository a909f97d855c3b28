import type { Caller } from '@pushkeep/runtime'
import type { Actor } from '@pushkeep/store'

/** Who acts, as the audit log names a key. */
export function actorOf(caller: Caller): Actor {
  if (caller.kind !== 'secret') throw new Error('a public key does nothing that is audited')
  const { workspaceNo, keyId, keyName, role } = caller
  return { workspaceNo, key: { id: keyId, name: keyName, role } }
}
