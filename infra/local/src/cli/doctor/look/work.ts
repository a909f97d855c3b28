import {
  type Database,
  openErasures,
  outboxLagSeconds,
  surveyBacklog,
  surveyOldest,
  surveyUnbalanced,
} from '@pushkeep/store'
import type { WorkSeen } from '../judge/work.ts'

/** Looks at what is accepted and not done, in the tables alone. */
export async function lookAtWork(database: Database): Promise<WorkSeen> {
  return {
    outboxLagSeconds: await outboxLagSeconds(database),
    oldest: await surveyOldest(database),
    backlog: await surveyBacklog(database),
    unbalanced: await surveyUnbalanced(database),
    erasures: await openErasures(database),
  }
}
