import type { Resumed } from '@pushkeep/console-api'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { useChange } from '../../api/queries.ts'
import { useMay } from '../../session.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { count } from '../../ui/format.ts'
import { ErrorNotice } from '../../ui/states.tsx'
import { useToast } from '../../ui/toast.tsx'

export interface ResumeProps {
  appId: string
  provider: 'apns' | 'fcm'
  isGuarded: boolean
}

type Bounces = 'keep' | 'undo'

const questions: Record<Bounces, string> = {
  undo: 'Each token that was retired since a minute before the pause becomes as it was, unless it has registered again. What waited is sent, also to them.',
  keep: 'The provider is believed: tokens that were retired stay so, what waited is sent, and the guard stays quiet for an hour.',
}

/** Lets a paused lane go on; where the mass-bounce guard paused it, one of two ways. */
export function ResumeButtons({ appId, provider, isGuarded }: ResumeProps) {
  const [asked, ask] = useState<Bounces | null>(null)
  const say = useToast()
  const may = useMay('operate')
  const resume = useChange(
    (bounces: Bounces) =>
      call<Resumed>('POST', `apps/${appId}/providers/${provider}/resume`, { bounces }),
    [['overview'], ['apps']],
  )
  if (!may) return <p className="muted">To resume it needs a key with the role operate.</p>

  const go = (bounces: Bounces) =>
    resume.mutate(bounces, {
      onSuccess: ({ resumed, said, restored }) => {
        ask(null)
        if (resumed)
          say(restored > 0 ? `The lane goes on; ${count(restored, 'token')} live again.` : said)
      },
    })

  return (
    <div className="actions">
      {isGuarded ? (
        <>
          <Button look="main" onClick={() => ask('undo')}>
            Undo the bounces…
          </Button>
          <Button onClick={() => ask('keep')}>Keep them and resume…</Button>
        </>
      ) : (
        <Button look="main" isBusy={resume.isPending} onClick={() => go('keep')}>
          Resume
        </Button>
      )}
      {resume.error && !asked && <ErrorNotice error={resume.error} />}
      {resume.data?.resumed === false && (
        <p className="muted" role="status">
          {resume.data.said}
        </p>
      )}
      {asked && (
        <Dialog
          title={asked === 'undo' ? 'Undo the bounces?' : 'Keep the bounces?'}
          onClose={() => ask(null)}
        >
          <p>{questions[asked]}</p>
          {resume.error && <ErrorNotice error={resume.error} />}
          <div className="actions end">
            <Button onClick={() => ask(null)}>Not now</Button>
            <Button look="main" isBusy={resume.isPending} onClick={() => go(asked)}>
              {asked === 'undo' ? 'Undo and resume' : 'Keep and resume'}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  )
}
