import type { Resumed } from '@pushkeep/console-api'
import { call } from '../../api/client.ts'
import { useChange } from '../../api/queries.ts'
import { useMay } from '../../session.tsx'
import { Button } from '../../ui/button.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { useToast } from '../../ui/toast.tsx'

export interface LaneProps {
  appId: string
  provider: 'apns' | 'fcm'
}

/** Lets a paused lane go on, once a delivery that is tried is accepted. */
export function ResumeButton({ appId, provider }: LaneProps) {
  const say = useToast()
  const may = useMay('operate')
  const resume = useChange(
    () => call<Resumed>('POST', `apps/${appId}/providers/${provider}/resume`, { bounces: 'keep' }),
    [['overview'], ['apps']],
  )
  if (!may) return <p className="muted">To resume it needs a key with the role operate.</p>
  return (
    <div className="actions">
      <Button
        look="main"
        isBusy={resume.isPending}
        onClick={() =>
          resume.mutate(undefined, { onSuccess: ({ resumed, said }) => resumed && say(said) })
        }
      >
        Resume
      </Button>
      {resume.data?.resumed === false && (
        <p className="muted" role="status">
          {resume.data.said}
        </p>
      )}
      {resume.error && <ErrorNotice error={resume.error} />}
    </div>
  )
}
