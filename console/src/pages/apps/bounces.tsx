import type { BouncesDecided } from '@pushkeep/console-api'
import { useState } from 'react'
import { call } from '../../api/client.ts'
import { useChange } from '../../api/queries.ts'
import { useMay } from '../../session.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { absolute, count } from '../../ui/format.ts'
import { ErrorNotice } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { useToast } from '../../ui/toast.tsx'
import { providerName } from '../../words/problems.ts'
import type { LaneProps } from './resume.tsx'

type Decision = 'keep' | 'undo'

const words: Record<Decision, { title: string; yes: string }> = {
  undo: {
    title: 'Undo the bounces?',
    yes: 'Undo them',
  },
  keep: {
    title: 'Keep the bounces?',
    yes: 'Keep them',
  },
}

interface BounceProps extends LaneProps {
  /** Since when the guard doubts: from then on tokens are decided about. */
  since: string
}

/** Decides about the tokens that were retired since the mass-bounce guard began to doubt. */
export function BounceButtons({ appId, provider, since }: BounceProps) {
  const [asked, ask] = useState<Decision | null>(null)
  const say = useToast()
  const may = useMay('operate')
  const decide = useChange(
    (decision: Decision) =>
      call<BouncesDecided>('POST', `apps/${appId}/providers/${provider}/bounces`, { decision }),
    [['overview'], ['apps']],
  )
  if (!may) return <p className="muted">To decide it needs a key with the role operate.</p>
  const go = (decision: Decision) =>
    decide.mutate(decision, {
      onSuccess: ({ restored }) => {
        ask(null)
        say(`Decided: ${count(restored, 'token')} live again.`)
      },
    })
  return (
    <div className="actions">
      <Button look="main" onClick={() => ask('undo')}>
        Undo the bounces…
      </Button>
      <Button onClick={() => ask('keep')}>Keep them…</Button>
      {asked && (
        <Dialog title={words[asked].title} onClose={() => ask(null)}>
          {asked === 'undo' ? (
            <p>
              Each token of {providerName(provider)} that was retired since {absolute(since)} (
              <Time at={since} />) becomes as it was, unless it has registered again.
            </p>
          ) : (
            <p>
              The provider is believed: tokens that were retired since {absolute(since)} stay so,
              and the guard stays quiet for an hour.
            </p>
          )}
          {asked === 'undo' && (
            <p className="muted">
              For another time: <code>pushkeep app bounces … undo --from … --to …</code>
            </p>
          )}
          {decide.error && <ErrorNotice error={decide.error} />}
          <div className="actions end">
            <Button onClick={() => ask(null)}>Not now</Button>
            <Button look="main" isBusy={decide.isPending} onClick={() => go(asked)}>
              {words[asked].yes}
            </Button>
          </div>
        </Dialog>
      )}
    </div>
  )
}
