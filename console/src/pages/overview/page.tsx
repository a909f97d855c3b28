import type { Overview } from '@pushkeep/console-api'
import { useOverview } from '../../api/queries.ts'
import { LiveMark, Loaded } from '../../ui/states.tsx'
import { Backlog } from './backlog.tsx'
import { Devices } from './devices.tsx'
import { Headline } from './headline.tsx'
import { Providers } from './providers.tsx'
import { Rates } from './rates.tsx'

/** Whether push works, and if not, why. */
export function OverviewPage() {
  const query = useOverview()
  return (
    <>
      <header className="page-head">
        <h1>Overview</h1>
        <LiveMark state={query.live} />
      </header>
      <Loaded query={query}>{(overview) => <Parts overview={overview} />}</Loaded>
    </>
  )
}

function Parts({ overview }: { overview: Overview }) {
  const nameOf = (id: string) => overview.apps.find((app) => app.id === id)?.name ?? 'an app'
  return (
    <div className="sections">
      <Headline overview={overview} nameOf={nameOf} />
      <Rates minutes={overview.minutes} />
      <div className="two">
        <Providers overview={overview} nameOf={nameOf} />
        <Backlog overview={overview} nameOf={nameOf} />
      </div>
      <Devices devices={overview.devices} nameOf={nameOf} />
    </div>
  )
}
