import { type FormEvent, useState } from 'react'
import { ApiError, call } from '../../api/client.ts'
import { useChange } from '../../api/queries.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { useToast } from '../../ui/toast.tsx'

/** Adds an app to the workspace. */
export function NewAppButton() {
  const [isOpen, setIsOpen] = useState(false)
  const [name, setName] = useState('')
  const say = useToast()
  const create = useChange(() => call('POST', 'apps', { name }), [['apps']])
  const fields = create.error instanceof ApiError ? create.error.fields : {}

  function submit(event: FormEvent) {
    event.preventDefault()
    create.mutate(undefined, {
      onSuccess: () => {
        setIsOpen(false)
        say(`${name} was added.`)
        setName('')
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
            {create.error && !fields.name && <ErrorNotice error={create.error} />}
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
