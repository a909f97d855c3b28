import { counted, type Finding, ok, problem, warning } from '../finding.ts'
import { judgeClock } from './clock.ts'

/** A process that was asked by its address. */
export interface ProcessSeen {
  /** What it is, as far as it is known: a service by its name, or a `process`. */
  name: string
  address: string
  answer:
    | { kind: 'silent'; reason: string }
    | {
        kind: 'answered'
        /** Whether it reaches the database. */
        isReady: boolean
        /** null: this address does not tell. */
        version: string | null
        /** How far its clock is ahead of this machine's; null: it does not tell. */
        skewMs: number | null
      }
}

/** Processes of workers by their reports in the database. */
export interface WorkersSeen {
  alive: number
  /** Ended without saying so within the last minutes. */
  missed: number
}

export function judgeProcesses(
  processes: readonly ProcessSeen[],
  workers: WorkersSeen | null,
  ownVersion: string,
): Finding[] {
  return [
    ...(processes.length === 0
      ? [
          warning(
            'processes',
            'no address is known, so none was asked',
            'set PUSHKEEP_REGISTRY_URL, PUSHKEEP_SENDER_URL and PUSHKEEP_OPERATIONS_URLS',
          ),
        ]
      : processes.flatMap(judgeProcess)),
    ...(workers ? [judgeWorkers(workers)] : []),
    ...judgeVersions(processes, ownVersion),
  ]
}

function judgeProcess({ name, address, answer }: ProcessSeen): Finding[] {
  const who = `${name} at ${address}`
  if (answer.kind === 'silent') {
    const todo = 'start it, or see its log (docs/runbooks/process-down.md)'
    return [problem('processes', `${who} does not answer (${answer.reason})`, todo)]
  }
  const clock = answer.skewMs === null ? null : judgeClock(who, answer.skewMs)
  return [
    answer.isReady
      ? ok('processes', `${who} is ready`)
      : problem('processes', `${who} is not ready`, 'see whether it reaches PostgreSQL'),
    ...(clock && clock.level !== 'ok' ? [clock] : []),
  ]
}

function judgeWorkers({ alive, missed }: WorkersSeen): Finding {
  if (alive === 0) {
    const todo = 'start the workers (docs/runbooks/no-workers.md)'
    return problem('workers', 'none has reported within the last seconds', todo)
  }
  const said = counted(alive, 'process reports', 'processes report')
  return missed === 0
    ? ok('workers', said)
    : warning('workers', `${said}, and ${missed} ended without a word`, 'see why in its log')
}

function judgeVersions(processes: readonly ProcessSeen[], ownVersion: string): Finding[] {
  const told = processes.flatMap(({ name, answer }) =>
    answer.kind === 'answered' && answer.version !== null ? [`${name} ${answer.version}`] : [],
  )
  if (told.length === 0) return []
  const isOne = told.every((one) => one.endsWith(` ${ownVersion}`))
  if (isOne) return [ok('versions', `${ownVersion}, all of them`)]
  const said = [...new Set([...told, `this command ${ownVersion}`])].join(', ')
  return [warning('versions', said, 'finish the upgrade (docs/operations.md, Upgrading)')]
}
