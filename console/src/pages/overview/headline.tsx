import type { Overview, Problem } from '@pushkeep/console-api'
import { Link } from 'wouter'
import { count, duration, number } from '../../ui/format.ts'
import { Icon } from '../../ui/icon.tsx'
import { Time } from '../../ui/time.tsx'
import { type NameOfApp, problemWords } from '../../words/problems.ts'
import { BounceButtons } from '../apps/bounces.tsx'
import { ResumeButton } from '../apps/resume.tsx'

export interface HeadlineProps {
  overview: Overview
  nameOf: NameOfApp
}

/** The answer in a sentence, and under it what is wrong. */
export function Headline({ overview, nameOf }: HeadlineProps) {
  const { problems } = overview
  const faults = problems.filter(({ severity }) => severity === 'fault').length
  const isVain = problems.length === 0 && hourOf(overview).isVain
  const tone = faults > 0 ? 'bad' : problems.length > 0 || isVain ? 'warn' : 'good'
  return (
    <section className={`headline ${tone}`} aria-label="State">
      <p className="headline-text" role="status">
        <Icon name={tone === 'good' ? 'check' : tone === 'warn' ? 'warning' : 'fault'} />
        {sentence(faults, problems.length - faults, overview)}
      </p>
      <p className="headline-more">{facts(overview)}</p>
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

function sentence(faults: number, warnings: number, overview: Overview): string {
  if (faults > 0) {
    const more = warnings > 0 ? `, and ${count(warnings, 'warning')}` : ''
    return `${count(faults, 'fault')} ${faults === 1 ? 'keeps' : 'keep'} pushes from phones${more}.`
  }
  const works = hourWords(overview)
  return warnings > 0 ? `${works} ${count(warnings, 'warning')}:` : works
}

function hourWords(overview: Overview): string {
  const { sent, isVain } = hourOf(overview)
  if (sent > 0) return 'Push is working.'
  return isVain
    ? 'Nothing was sent in the last hour: whoever was written to could not be reached.'
    : 'All is well; nothing was sent in the last hour.'
}

/** Sums of the last hour. `isVain`: there were outcomes, and none of them is a push that was sent. */
function hourOf({ minutes }: Overview) {
  const sum = (name: 'sent' | 'bounced' | 'suppressed' | 'failed' | 'expired') =>
    minutes.reduce((all, minute) => all + minute[name], 0)
  const sent = sum('sent')
  const bounced = sum('bounced')
  const lost = sum('failed') + sum('expired')
  return { sent, bounced, lost, isVain: sent === 0 && bounced + lost + sum('suppressed') > 0 }
}

/** What the sentence rests on: the hour, what waits, who works. */
function facts(overview: Overview): string {
  const { backlog, workers } = overview
  const { sent, bounced, lost } = hourOf(overview)
  const hour = `${number(sent)} sent in the last hour, ${number(bounced)} bounced, ${number(lost)} failed or expired`
  const waiting = backlog.lanes.reduce((all, lane) => all + lane.waiting + lane.active, 0)
  const oldest = Math.max(-1, ...backlog.lanes.map((lane) => lane.oldest_seconds ?? -1))
  const age = oldest < 0 ? '' : `, the oldest for ${duration(oldest)}`
  const waits =
    waiting === 0 ? 'nothing waits' : `${number(waiting)} ${waiting === 1 ? 'waits' : 'wait'}${age}`
  return `${hour}; ${waits}; ${count(workers.alive, 'worker process', 'worker processes')}.`
}

function keyOf(problem: Problem): string {
  const { kind, severity, ...rest } = problem
  const app = 'app_id' in rest ? rest.app_id : ''
  const provider = 'provider' in rest ? rest.provider : ''
  const lane = 'lane' in rest ? rest.lane : ''
  const message = 'message_id' in rest ? rest.message_id : ''
  return `${kind} ${app} ${provider} ${lane} ${message}`
}

function ProblemItem({ problem, nameOf }: { problem: Problem; nameOf: NameOfApp }) {
  const { title, means, todo } = problemWords(problem, nameOf)
  return (
    <li className={`problem ${problem.severity}`}>
      <Icon name={problem.severity === 'fault' ? 'fault' : 'warning'} />
      <div>
        <p className="problem-title">
          {title}
          {(problem.kind === 'lane_paused' || problem.kind === 'mass_bounce_guard') && (
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
          <ResumeButton appId={problem.app_id} provider={problem.provider} />
        )}
        {problem.kind === 'mass_bounce_guard' && (
          <BounceButtons appId={problem.app_id} provider={problem.provider} since={problem.since} />
        )}
      </div>
    </li>
  )
}
