import type { App, CredentialTask } from '@pushkeep/console-api'
import { useQuery } from '@tanstack/react-query'
import { type ChangeEvent, type FormEvent, useState } from 'react'
import { ApiError, call } from '../../api/client.ts'
import { useChange } from '../../api/queries.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { TaskOutcome } from './task.tsx'

export interface CredentialDialogProps {
  app: App
  provider: 'apns' | 'fcm'
  /** What is stored now, to begin with. */
  settings: Record<string, unknown>
  onClose: () => void
}

/** New credentials: the workers ask the provider first, and store what it takes. */
export function CredentialDialog({ app, provider, settings, onClose }: CredentialDialogProps) {
  const [form, setForm] = useState(() => initialForm(settings))
  const set = (change: Partial<Form>) => setForm((before) => ({ ...before, ...change }))
  const replace = useChange(
    () =>
      call<{ task_id: string }>(
        'PUT',
        `apps/${app.id}/providers/${provider}/credentials`,
        bodyOf(provider, form),
      ),
    [['apps']],
  )
  const fields = replace.error instanceof ApiError ? replace.error.fields : {}

  function submit(event: FormEvent) {
    event.preventDefault()
    replace.mutate(undefined)
  }

  return (
    <Dialog
      title={`${provider === 'apns' ? 'APNs key' : 'FCM service account'} of ${app.name}`}
      onClose={onClose}
    >
      {replace.data ? (
        <Outcome taskId={replace.data.task_id} onAgain={replace.reset} onClose={onClose} />
      ) : (
        <form onSubmit={submit}>
          <p className="muted">
            A worker asks the provider whether it takes them before they are stored. They are locked
            here so that the workers alone can read them, and are never shown again.
          </p>
          {provider === 'apns' ? (
            <ApnsFields form={form} set={set} fields={fields} />
          ) : (
            <FcmFields form={form} set={set} fields={fields} />
          )}
          <Field
            label="They end on"
            hint="Where your company sets a date; the overview warns two weeks before."
            error={fields.expires_at}
          >
            {(attributes) => (
              <input
                {...attributes}
                type="date"
                value={form.expiresOn}
                onChange={(event) => set({ expiresOn: event.target.value })}
              />
            )}
          </Field>
          <label className="tick">
            <input
              type="checkbox"
              checked={form.isForced}
              onChange={(event) => set({ isForced: event.target.checked })}
            />
            Store them also where the provider cannot be reached now
          </label>
          {replace.error && Object.keys(fields).length === 0 && (
            <ErrorNotice error={replace.error} />
          )}
          <div className="actions end">
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" look="main" isBusy={replace.isPending}>
              Check and store
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  )
}

interface Form {
  teamId: string
  keyId: string
  topic: string
  environment: '' | 'production' | 'sandbox'
  secret: string
  /** A day, or empty. */
  expiresOn: string
  isForced: boolean
}

function initialForm(settings: Record<string, unknown>): Form {
  const text = (name: string) => (typeof settings[name] === 'string' ? settings[name] : '')
  const environment = text('environment')
  return {
    teamId: text('teamId'),
    keyId: '',
    topic: text('topic'),
    environment: environment === 'production' || environment === 'sandbox' ? environment : '',
    secret: '',
    expiresOn: '',
    isForced: false,
  }
}

function bodyOf(provider: 'apns' | 'fcm', form: Form): object {
  const expires_at = form.expiresOn === '' ? null : `${form.expiresOn}T00:00:00Z`
  const common = { expires_at, is_forced: form.isForced }
  if (provider === 'fcm') return { service_account: form.secret, ...common }
  return {
    team_id: form.teamId.trim(),
    key_id: form.keyId.trim(),
    topic: form.topic.trim(),
    environment: form.environment || null,
    private_key: form.secret,
    ...common,
  }
}

interface FieldsProps {
  form: Form
  set: (change: Partial<Form>) => void
  fields: Record<string, string>
}

function ApnsFields({ form, set, fields }: FieldsProps) {
  return (
    <>
      <SecretFile
        label="Key file (.p8)"
        accept=".p8,.pem"
        error={fields.private_key}
        onRead={(secret, name) => {
          // Apple names the file after the key.
          const keyId = /AuthKey_([A-Z0-9]{10})/.exec(name)?.[1]
          set({ secret, ...(keyId ? { keyId } : {}) })
        }}
      />
      <div className="field-row">
        <Field label="Key id" error={fields.key_id}>
          {(attributes) => (
            <input
              {...attributes}
              required
              autoComplete="off"
              spellCheck={false}
              placeholder="ABC123DEFG"
              value={form.keyId}
              onChange={(event) => set({ keyId: event.target.value })}
            />
          )}
        </Field>
        <Field label="Team id" error={fields.team_id}>
          {(attributes) => (
            <input
              {...attributes}
              required
              autoComplete="off"
              spellCheck={false}
              value={form.teamId}
              onChange={(event) => set({ teamId: event.target.value })}
            />
          )}
        </Field>
      </div>
      <div className="field-row">
        <Field label="Bundle id" error={fields.topic}>
          {(attributes) => (
            <input
              {...attributes}
              required
              autoComplete="off"
              spellCheck={false}
              placeholder="com.example.shop"
              value={form.topic}
              onChange={(event) => set({ topic: event.target.value })}
            />
          )}
        </Field>
        <Field label="Environment" error={fields.environment}>
          {(attributes) => (
            <select
              {...attributes}
              value={form.environment}
              onChange={(event) => {
                const { value } = event.target
                set({ environment: value === 'production' || value === 'sandbox' ? value : '' })
              }}
            >
              <option value="">both</option>
              <option value="production">production alone</option>
              <option value="sandbox">sandbox alone</option>
            </select>
          )}
        </Field>
      </div>
    </>
  )
}

function FcmFields({ set, fields }: FieldsProps) {
  return (
    <SecretFile
      label="Service account (JSON)"
      accept=".json,application/json"
      error={fields.service_account}
      onRead={(secret) => set({ secret })}
    />
  )
}

interface SecretFileProps {
  label: string
  accept: string
  error: string | undefined
  onRead: (text: string, name: string) => void
}

/** A file whose text is sent, and shown nowhere. */
function SecretFile({ label, accept, error, onRead }: SecretFileProps) {
  async function read(event: ChangeEvent<HTMLInputElement>) {
    const file = event.target.files?.[0]
    if (file) onRead(await file.text(), file.name)
  }
  return (
    <Field label={label} error={error}>
      {(attributes) => (
        <input
          {...attributes}
          type="file"
          required
          accept={accept}
          onChange={(event) => void read(event)}
        />
      )}
    </Field>
  )
}

interface OutcomeProps {
  taskId: string
  onAgain: () => void
  onClose: () => void
}

function Outcome({ taskId, onAgain, onClose }: OutcomeProps) {
  const { data, error } = useQuery({
    queryKey: ['task', taskId],
    queryFn: () => call<CredentialTask>('GET', `tasks/${taskId}`),
    refetchInterval: ({ state }) => (state.data?.finished_at ? false : 500),
  })
  const isRefused = data?.outcome === 'refused' || data?.outcome === 'unreachable'
  return (
    <>
      {error && <ErrorNotice error={error} />}
      {data && <TaskOutcome task={data} />}
      <div className="actions end">
        {isRefused && <Button onClick={onAgain}>Try others</Button>}
        <Button look="main" onClick={onClose}>
          Close
        </Button>
      </div>
    </>
  )
}
