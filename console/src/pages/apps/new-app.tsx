import type { App } from '@pushkeep/console-api'
import { type FormEvent, useState } from 'react'
import { ApiError, call } from '../../api/client.ts'
import { useChange } from '../../api/queries.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { useToast } from '../../ui/toast.tsx'

/** Adds an app to the workspace. */
export function NewAppButton({ apps }: { apps: readonly App[] }) {
  const [isOpen, setIsOpen] = useState(false)
  const [name, setName] = useState('')
  const [chosen, setChosen] = useState<Mode | null>(null)
  const mode = chosen ?? modeAtFirst(apps)
  const say = useToast()
  const create = useChange(() => call('POST', 'apps', { name, identity_mode: mode }), [['apps']])
  const fields = create.error instanceof ApiError ? create.error.fields : {}

  function submit(event: FormEvent) {
    event.preventDefault()
    create.mutate(undefined, {
      onSuccess: () => {
        setIsOpen(false)
        say(`${name} was added.`)
        setName('')
        setChosen(null)
      },
    })
  }

  return (
    <>
      <Button onClick={() => setIsOpen(true)}>Add an app…</Button>
      {isOpen && (
        <Dialog title="Add an app" onClose={() => setIsOpen(false)}>
          <form onSubmit={submit}>
            <Field label="Name" error={fields.name} hint="To recognise it by; phones never see it.">
              {(attributes) => (
                <input
                  {...attributes}
                  required
                  maxLength={200}
                  value={name}
                  onChange={(event) => setName(event.target.value)}
                />
              )}
            </Field>
            <Field
              label="Identity tokens"
              error={fields.identity_mode}
              hint="Without them, everyone who reads the public key out of the app may register a phone for any person. The strictest choice holds for all apps of the workspace."
            >
              {(attributes) => (
                <select
                  {...attributes}
                  value={mode}
                  onChange={(event) => setChosen(modeOf(event.target.value))}
                >
                  {modes.map(({ mode, says }) => (
                    <option key={mode} value={mode}>
                      {says}
                    </option>
                  ))}
                </select>
              )}
            </Field>
            {create.error && !fields.name && !fields.identity_mode && (
              <ErrorNotice error={create.error} />
            )}
            <div className="actions end">
              <Button onClick={() => setIsOpen(false)}>Cancel</Button>
              <Button type="submit" look="main" isBusy={create.isPending}>
                Add
              </Button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  )
}

type Mode = App['identity_mode']

const modes: readonly { mode: Mode; says: string }[] = [
  { mode: 'required', says: 'Required: a public key names no person without one' },
  { mode: 'log', says: 'Logged: calls without one are admitted and logged' },
  { mode: 'off', says: 'Off: a public key names any person' },
]

function modeOf(text: string): Mode {
  return modes.find(({ mode }) => mode === text)?.mode ?? 'required'
}

/** Required; where there are apps, as strict as these, so that their phones are asked for nothing new. */
function modeAtFirst(apps: readonly App[]): Mode {
  if (apps.length === 0) return 'required'
  const present = apps.map((app) => app.identity_mode)
  return modes.find(({ mode }) => present.includes(mode))?.mode ?? 'required'
}
