import type { Overview, Problem } from '@pushkeep/console-api'
import { Link } from 'wouter'
import { count } from '../../ui/format.ts'
import { Icon } from '../../ui/icon.tsx'
import { Time } from '../../ui/time.tsx'
import { type NameOfApp, problemWords } from '../../words/problems.ts'
import { ResumeButtons } from '../apps/resume.tsx'

export interface HeadlineProps {
  overview: Overview
  nameOf: NameOfApp
}

/** The answer in a sentence, and under it what is wrong. */
export function Headline({ overview, nameOf }: HeadlineProps) {
  const { problems } = overview
  const faults = problems.filter(({ severity }) => severity === 'fault').length
  const tone = faults > 0 ? 'bad' : problems.length > 0 ? 'warn' : 'good'
  return (
    <section className={`headline ${tone}`} aria-label="State">
      <p className="headline-text" role="status">
        <Icon name={tone === 'good' ? 'check' : tone === 'warn' ? 'warning' : 'fault'} />
        {sentence(faults, problems.length - faults, overview)}
      </p>
      {problems.length > 0 && (
        <ul className="problems">
          {problems.map((problem) => (
            <ProblemItem key={keyOf(problem)} problem={problem} nameOf={nameOf} />
          ))}
        </ul>
      )}
    </section>
  )
}

function sentence(faults: number, warnings: number, { minutes }: Overview): string {
  if (faults > 0) {
    const more = warnings > 0 ? `, and ${count(warnings, 'warning')}` : ''
    return `${count(faults, 'fault')} ${faults === 1 ? 'keeps' : 'keep'} pushes from phones${more}.`
  }
  const works = minutes.some(({ sent }) => sent > 0)
    ? 'Push is working.'
    : 'All is well; nothing was sent in the last hour.'
  return warnings > 0 ? `${works} ${count(warnings, 'warning')}:` : works
}

function keyOf(problem: Problem): string {
  const { kind, severity, ...rest } = problem
  const app = 'app_id' in rest ? rest.app_id : ''
  const provider = 'provider' in rest ? rest.provider : ''
  const lane = 'lane' in rest ? rest.lane : ''
  return `${kind} ${app} ${provider} ${lane}`
}

function ProblemItem({ problem, nameOf }: { problem: Problem; nameOf: NameOfApp }) {
  const { title, means, todo } = problemWords(problem, nameOf)
  return (
    <li className={`problem ${problem.severity}`}>
      <Icon name={problem.severity === 'fault' ? 'fault' : 'warning'} />
      <div>
        <p className="problem-title">
          {title}
          {problem.kind === 'lane_paused' && (
            <span className="muted">
              {' '}
              · <Time at={problem.since} />
            </span>
          )}
        </p>
        <p>{means}</p>
        <p className="muted">
          {todo} {'app_id' in problem && <Link href="/apps">Open Apps</Link>}
        </p>
        {problem.kind === 'lane_paused' && (
          <ResumeButtons
            appId={problem.app_id}
            provider={problem.provider}
            isGuarded={problem.is_guarded}
          />
        )}
      </div>
    </li>
  )
}
