import type { Key } from '@pushkeep/console-api'
import { useState } from 'react'
import { call } from '../api/client.ts'
import { useApps, useChange, useKeys } from '../api/queries.ts'
import { useMay, useSignedIn } from '../session.tsx'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Scroll } from '../ui/scroll.tsx'
import { Empty, ErrorNotice, Loaded } from '../ui/states.tsx'
import { Time } from '../ui/time.tsx'
import { useToast } from '../ui/toast.tsx'
import { CreateDialog } from './key-dialog.tsx'

/** The keys of the workspace: which there are, a new one, the end of one. */
export default function KeysPage() {
  const query = useKeys()
  const may = useMay('admin')
  const [isCreating, setIsCreating] = useState(false)
  const [revoking, setRevoking] = useState<Key | null>(null)
  return (
    <>
      <header className="page-head">
        <h1>Keys</h1>
        {may && (
          <Button look="main" onClick={() => setIsCreating(true)}>
            Create a key…
          </Button>
        )}
      </header>
      {!may && (
        <p className="muted">To create and revoke keys it needs a key with the role admin.</p>
      )}
      <Loaded query={query}>
        {({ keys }) =>
          keys.length === 0 ? (
            <Empty title="No key" />
          ) : (
            <section className="card" aria-label="Keys">
              <KeyTable keys={keys} onRevoke={may ? setRevoking : null} />
            </section>
          )
        }
      </Loaded>
      {isCreating && <CreateDialog onClose={() => setIsCreating(false)} />}
      {revoking && <RevokeDialog of={revoking} onClose={() => setRevoking(null)} />}
    </>
  )
}

interface KeyTableProps {
  keys: Key[]
  onRevoke: ((key: Key) => void) | null
}

function KeyTable({ keys, onRevoke }: KeyTableProps) {
  const own = useSignedIn().key.id
  const apps = useApps().data?.apps ?? []
  const appName = (id: string | null) =>
    id === null ? 'all apps' : (apps.find((app) => app.id === id)?.name ?? 'one app')
  return (
    <Scroll label="Keys">
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Kind</th>
            <th scope="col">For</th>
            <th scope="col">Created</th>
            <th scope="col">Last used</th>
            <th scope="col">Ends</th>
            <th scope="col">
              <span className="hidden">Revoke</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id} className={key.revoked_at ? 'past' : undefined}>
              <th scope="row">
                {key.name} {key.id === own && <Badge tone="info">yours</Badge>}
                {key.is_installation && <Badge tone="info">installation</Badge>}
                {key.exposed_at && !key.revoked_at && (
                  <Badge tone="bad">seen in a browser or an app</Badge>
                )}
                {key.allowed_addresses && (
                  <div className="muted">from {key.allowed_addresses.join(', ')}</div>
                )}
              </th>
              <td>
                {key.kind}
                {key.role && `, ${key.role}`}
              </td>
              <td>{appName(key.app_id)}</td>
              <td>
                <Time at={key.created_at} />
              </td>
              <td>{key.used_at ? <Time at={key.used_at} /> : <span className="muted">–</span>}</td>
              <td>
                <End of={key.expires_at} />
              </td>
              <td className="figure">
                {key.revoked_at ? (
                  <span className="muted">
                    revoked <Time at={key.revoked_at} />
                  </span>
                ) : (
                  onRevoke && (
                    <Button
                      look="quiet"
                      aria-label={`Revoke ${key.name}`}
                      onClick={() => onRevoke(key)}
                    >
                      Revoke…
                    </Button>
                  )
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

/** A key that ends within two weeks stands out: somebody has to make another. */
const soonMs = 14 * 86_400_000

function End({ of: at }: { of: string | null }) {
  if (at === null) return <span className="muted">–</span>
  const leftMs = Date.parse(at) - Date.now()
  return (
    <>
      <Time at={at} /> {leftMs <= 0 && <Badge tone="bad">ended</Badge>}
      {leftMs > 0 && leftMs < soonMs && <Badge tone="warn">soon</Badge>}
    </>
  )
}

function RevokeDialog({ of: key, onClose }: { of: Key; onClose: () => void }) {
  const own = useSignedIn().key.id === key.id
  const say = useToast()
  const revoke = useChange(() => call('DELETE', `keys/${key.id}`), [['keys'], ['session']])
  return (
    <Dialog title={`Revoke ${key.name}?`} onClose={onClose}>
      <p>
        Whoever uses it is refused within five seconds; console sessions with it end at once. It
        cannot be taken back.
      </p>
      {own && <p className="notice warn">It is the key that you are signed in with.</p>}
      {revoke.error && <ErrorNotice error={revoke.error} />}
      <div className="actions end">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          look="danger"
          isBusy={revoke.isPending}
          onClick={() =>
            revoke.mutate(undefined, {
              onSuccess: () => {
                say(`${key.name} is revoked.`)
                onClose()
              },
            })
          }
        >
          Revoke
        </Button>
      </div>
    </Dialog>
  )
}
