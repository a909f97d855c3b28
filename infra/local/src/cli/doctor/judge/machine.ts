import { counted, type Finding, ok, problem, warning } from '../finding.ts'

/** Node 24.12 is the first that runs TypeScript without a flag or a word of warning. */
const oldestNode: readonly [number, number] = [24, 12]

export function judgeNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isNewEnough = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
  return isNewEnough
    ? ok('node', version)
    : problem('node', version, `use Node ${oldestNode.join('.')} or newer`)
}

/** The folder of outcomes that are known and not in PostgreSQL yet. */
export type JournalSeen =
  | { kind: 'unset' }
  | { kind: 'unusable'; folder: string; reason: string }
  | { kind: 'usable'; folder: string; freeBytes: number }

const littleSpace = 100 * 2 ** 20

export function judgeJournal(seen: JournalSeen): Finding {
  switch (seen.kind) {
    case 'unset':
      return ok('journal', 'OUTCOME_JOURNAL_DIR is not set here: not looked at')
    case 'unusable':
      return problem(
        'journal',
        `${seen.folder} cannot be written to (${seen.reason})`,
        'give it to the user that the workers run as',
      )
    case 'usable': {
      const said = `${seen.folder}, ${Math.floor(seen.freeBytes / 2 ** 20).toLocaleString('en')} MiB free`
      return seen.freeBytes < littleSpace
        ? warning('journal', said, 'make room: without it a killed worker forgets what it knew')
        : ok('journal', said)
    }
  }
}

/** The ports of `./scripts/start`; null: another installation is looked at, which has its own. */
export type PortsSeen =
  | { kind: 'running'; ports: readonly number[] }
  /** `local.json` tells of a run whose process is gone. */
  | { kind: 'gone'; file: string }
  | { kind: 'idle'; taken: readonly number[] }

export function judgePorts(seen: PortsSeen): Finding {
  switch (seen.kind) {
    case 'running':
      return ok('ports', `of the run here: ${seen.ports.join(', ')}`)
    case 'gone':
      return problem('ports', `the run of ${seen.file} is gone`, 'run ./scripts/start again')
    case 'idle':
      return seen.taken.length === 0
        ? ok('ports', 'the usual ones are free')
        : warning(
            'ports',
            `${counted(seen.taken.length, 'usual one is', 'usual ones are')} taken: ${seen.taken.join(', ')}`,
            'none where others will do: ./scripts/start takes free ones instead',
          )
  }
}
