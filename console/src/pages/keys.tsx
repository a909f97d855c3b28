import type { Key, KeyCreated } from '@pushkeep/console-api'
import { type FormEvent, useState } from 'react'
import { ApiError, call } from '../api/client.ts'
import { useApps, useChange, useKeys } from '../api/queries.ts'
import { useMay, useSignedIn } from '../session.tsx'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { CopyButton } from '../ui/copy.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Scroll } from '../ui/scroll.tsx'
import { Empty, ErrorNotice, Loaded } from '../ui/states.tsx'
import { Time } from '../ui/time.tsx'
import { useToast } from '../ui/toast.tsx'

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
              </th>
              <td>
                {key.kind}
                {key.role && `, ${key.role}`}
              </td>
              <td>{appName(key.app_id)}</td>
              <td>
                <Time at={key.created_at} />
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

const kinds = [
  { value: 'read', label: 'Secret, read: looks at everything' },
  { value: 'operate', label: 'Secret, operate: for backends; sends, cancels, resumes' },
  { value: 'admin', label: 'Secret, admin: manages keys and credentials, too' },
  { value: 'public', label: 'Public: for a mobile app; registers devices' },
]

function CreateDialog({ onClose }: { onClose: () => void }) {
  const apps = useApps().data?.apps ?? []
  const bound = useSignedIn().app
  const [name, setName] = useState('')
  const [kind, setKind] = useState('operate')
  const [appId, setAppId] = useState(bound?.id ?? '')
  const create = useChange(
    () =>
      call<KeyCreated>('POST', 'keys', {
        name,
        kind: kind === 'public' ? 'public' : 'secret',
        role: kind === 'public' ? null : kind,
        app_id: appId || null,
      }),
    [['keys']],
  )
  const fields = create.error instanceof ApiError ? create.error.fields : {}

  function submit(event: FormEvent) {
    event.preventDefault()
    create.mutate(undefined)
  }

  return (
    <Dialog title="Create a key" onClose={onClose}>
      {create.data ? (
        <Created created={create.data} onClose={onClose} />
      ) : (
        <form onSubmit={submit}>
          <Field
            label="Name"
            hint="To recognise it by, here and in the audit log."
            error={fields.name}
          >
            {(attributes) => (
              <input
                {...attributes}
                required
                maxLength={200}
                placeholder="shop backend"
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
          <Field label="What it may do" error={fields.role}>
            {(attributes) => (
              <select
                {...attributes}
                value={kind}
                onChange={(event) => setKind(event.target.value)}
              >
                {kinds.map(({ value, label }) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <Field label="For" error={fields.app_id}>
            {(attributes) => (
              <select
                {...attributes}
                value={appId}
                onChange={(event) => setAppId(event.target.value)}
              >
                {!bound && <option value="">all apps</option>}
                {apps.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name} alone
                  </option>
                ))}
              </select>
            )}
          </Field>
          {create.error && Object.keys(fields).length === 0 && <ErrorNotice error={create.error} />}
          <div className="actions end">
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" look="main" isBusy={create.isPending}>
              Create
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  )
}

function Created({ created, onClose }: { created: KeyCreated; onClose: () => void }) {
  return (
    <div role="status">
      <p>Copy it now: it is not shown again.</p>
      <p className="secret">
        <code>{created.key}</code>
        <CopyButton text={created.key} label="Copy the key" />
      </p>
      <div className="actions end">
        <Button look="main" onClick={onClose}>
          I have it
        </Button>
      </div>
    </div>
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
