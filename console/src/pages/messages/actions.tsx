import type { Message } from '@pushkeep/console-api'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { useChange } from '../../api/queries.ts'
import { useMay } from '../../session.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { count } from '../../ui/format.ts'
import { ErrorNotice } from '../../ui/states.tsx'
import { useToast } from '../../ui/toast.tsx'

type Change = 'cancel' | 'release'

/** What can still be done about a message: cancel it, or send a scheduled one now. */
export function MessageActions({ message }: { message: Message }) {
  const [asked, ask] = useState<Change | null>(null)
  const may = useMay('operate')
  const isScheduled = message.state === 'scheduled'
  if (!may || message.cancelled_at || (!message.is_open && !isScheduled)) return null
  return (
    <div className="actions">
      {isScheduled && <Button onClick={() => ask('release')}>Send it now…</Button>}
      <Button look="danger" onClick={() => ask('cancel')}>
        Cancel it…
      </Button>
      {asked && <ChangeDialog message={message} change={asked} onClose={() => ask(null)} />}
    </div>
  )
}

const words = {
  cancel: { title: 'Cancel this message?', button: 'Cancel the message', said: 'It is cancelled.' },
  release: { title: 'Send it now?', button: 'Send it now', said: 'It is being sent.' },
}

interface ChangeDialogProps {
  message: Message
  change: Change
  onClose: () => void
}

function ChangeDialog({ message, change, onClose }: ChangeDialogProps) {
  const say = useToast()
  const { title, button, said } = words[change]
  const make = useChange(
    () => call('POST', `messages/${message.id}/${change}`),
    [['message', message.id], ['messages']],
  )
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{change === 'cancel' ? cancelWords(message) : 'Whom it is for is found out now.'}</p>
      {make.error && <ErrorNotice error={make.error} />}
      <div className="actions end">
        <Button onClick={onClose}>Not now</Button>
        <Button
          look={change === 'cancel' ? 'danger' : 'main'}
          isBusy={make.isPending}
          onClick={() =>
            make.mutate(undefined, {
              onSuccess: () => {
                say(said)
                onClose()
              },
            })
          }
        >
          {button}
        </Button>
      </div>
    </Dialog>
  )
}

function cancelWords({ counts, state }: Message): string {
  if (state === 'scheduled') return 'Nobody gets it. It cannot be taken back.'
  const { sent, pending } = counts
  return `${count(sent, 'device has', 'devices have')} it already. Who of the ${count(pending, 'one that is', 'others that are')} pending has not been sent to gets nothing; what a worker is about to send, a second ahead at most, still leaves. It cannot be taken back.`
}
