import type { Device } from '@pushkeep/console-api'
import { type FormEvent, useState } from 'react'
import { Link } from 'wouter'
import { ApiError, call } from '../../api/client.ts'
import { useChange, useWhy } from '../../api/queries.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { ErrorNotice, Waiting } from '../../ui/states.tsx'
import { TraceWords } from './trace.tsx'

export interface TestPushDialogProps {
  device: Device
  personId: string
  appName: string
  onClose: () => void
}

/** Sends a push to one device, and says what becomes of it. */
export function TestPushDialog({ device, personId, appName, onClose }: TestPushDialogProps) {
  const [title, setTitle] = useState('A test')
  const [body, setBody] = useState('Sent from the Pushkeep console.')
  const send = useChange(
    () =>
      call<{ message_id: string }>(
        'POST',
        `apps/${device.app_id}/devices/${device.fingerprint}/test`,
        { title, body, person_id: personId },
      ),
    [['messages'], ['person', personId]],
  )
  const fields = send.error instanceof ApiError ? send.error.fields : {}

  function submit(event: FormEvent) {
    event.preventDefault()
    send.mutate(undefined)
  }

  return (
    <Dialog title="Send a test push" onClose={onClose}>
      {send.data ? (
        <Outcome personId={personId} device={device} messageId={send.data.message_id} />
      ) : (
        <form onSubmit={submit}>
          <p className="muted">
            To this one device of {personId}, as {appName} would. It lives ten minutes.
          </p>
          <Field label="Title" error={fields.title}>
            {(attributes) => (
              <input
                {...attributes}
                required
                maxLength={200}
                value={title}
                onChange={(event) => setTitle(event.target.value)}
              />
            )}
          </Field>
          <Field label="Text" error={fields.body}>
            {(attributes) => (
              <textarea
                {...attributes}
                rows={3}
                maxLength={1000}
                value={body}
                onChange={(event) => setBody(event.target.value)}
              />
            )}
          </Field>
          {send.error && <ErrorNotice error={send.error} />}
          <div className="actions end">
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" look="main" isBusy={send.isPending}>
              Send
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  )
}

interface OutcomeProps {
  personId: string
  device: Device
  messageId: string
}

function Outcome({ personId, device, messageId }: OutcomeProps) {
  const why = useWhy(personId, messageId)
  const own = why.data?.devices.find(({ fingerprint }) => fingerprint === device.fingerprint)
  return (
    <div role="status">
      <p>It was accepted.</p>
      {own ? <TraceWords trace={own.trace} /> : <Waiting />}
      <p>
        <Link href={`/messages/${messageId}`}>Open the message</Link>
      </p>
    </div>
  )
}
