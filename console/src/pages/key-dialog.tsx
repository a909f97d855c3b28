import type { KeyCreated } from '@pushkeep/console-api'
import { type FormEvent, useState } from 'react'
import { ApiError, call } from '../api/client.ts'
import { useApps, useChange } from '../api/queries.ts'
import { useSignedIn } from '../session.tsx'
import { Button } from '../ui/button.tsx'
import { CopyButton } from '../ui/copy.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { ErrorNotice } from '../ui/states.tsx'

const kinds = [
  { value: 'read', label: 'Secret, read: looks at everything' },
  { value: 'operate', label: 'Secret, operate: for backends; sends, cancels, resumes' },
  { value: 'admin', label: 'Secret, admin: manages keys and credentials, too' },
  { value: 'public', label: 'Public: for a mobile app; registers devices' },
]

/** Makes a key, and shows its text once. */
export function CreateDialog({ onClose }: { onClose: () => void }) {
  const apps = useApps().data?.apps ?? []
  const bound = useSignedIn().app
  const [name, setName] = useState('')
  const [kind, setKind] = useState('operate')
  const [appId, setAppId] = useState(bound?.id ?? '')
  const [endsOn, setEndsOn] = useState('')
  const [addresses, setAddresses] = useState('')
  const create = useChange(
    () =>
      call<KeyCreated>('POST', 'keys', {
        name,
        kind: kind === 'public' ? 'public' : 'secret',
        role: kind === 'public' ? null : kind,
        app_id: appId || null,
        expires_at: endsOn === '' ? null : `${endsOn}T00:00:00Z`,
        allowed_addresses: listOf(addresses),
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
          <Field
            label="Ends on"
            hint="It stops working then, at 0:00 UTC; empty: when it is revoked."
            error={fields.expires_at}
          >
            {(attributes) => (
              <input
                {...attributes}
                type="date"
                value={endsOn}
                onChange={(event) => setEndsOn(event.target.value)}
              />
            )}
          </Field>
          <Field
            label="Only from"
            hint="Addresses or networks, by commas; empty: from anywhere."
            error={addressError(fields)}
          >
            {(attributes) => (
              <input
                {...attributes}
                placeholder="203.0.113.7, 10.0.0.0/8"
                value={addresses}
                onChange={(event) => setAddresses(event.target.value)}
              />
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

function listOf(text: string): string[] | null {
  const list = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  return list.length === 0 ? null : list
}

/** Of the list, or of one of its addresses. */
function addressError(fields: Record<string, string>): string | undefined {
  const path = Object.keys(fields).find((name) => name.startsWith('allowed_addresses'))
  return path === undefined ? undefined : fields[path]
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
