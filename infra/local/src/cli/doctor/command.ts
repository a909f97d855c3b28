import { Command } from 'commander'
import type { Answer, Env } from '../session.ts'
import { columns } from '../view.ts'
import { counted, type Finding } from './finding.ts'

/** `doctor` */
export function doctorCommand(env: Env, say: (answer: Answer) => void): Command {
  return new Command('doctor')
    .description('look at the whole, and say what is not as it should be and what to do')
    .option('--no-providers', 'ask neither APNs nor FCM whether they take the credentials')
    .action(async (options: { providers: boolean }) => {
      // What it looks with takes its time to load: the other commands do not wait for it.
      const { examine } = await import('./doctor.ts')
      say(answerOf(await examine(env, options)))
    })
    .addHelpText('after', help)
}

const help = `
Looks at the installation of the environment, or else at the one that ./scripts/start runs here:
DATABASE_URL, REDIS_URL, PUSHKEEP_ENCRYPTION_KEY, OUTCOME_JOURNAL_DIR as the processes have them, and
PUSHKEEP_REGISTRY_URL, PUSHKEEP_SENDER_URL, PUSHKEEP_OPERATIONS_URLS (by commas) where to ask them.
Changes nothing. Ends with 1 where it finds a problem; a warning is none.`

function answerOf(findings: readonly Finding[]): Answer {
  const count = (level: Finding['level']) => findings.filter((one) => one.level === level).length
  const [problems, warnings] = [count('problem'), count('warning')]
  const lines = findings.map(({ level, check, said, todo }) => [
    level,
    check,
    todo === null ? said : `${said} → ${todo}`,
  ])
  return {
    text: `${columns(lines)}\n${counted(problems, 'problem')}, ${counted(warnings, 'warning')}`,
    json: { problems, warnings, findings },
    exitCode: problems > 0 ? 1 : 0,
  }
}
