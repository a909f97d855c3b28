import { connect } from '@pushkeep/store'

const deadlockDetected = '40P01'

/** Takes away everything that the queues in PostgreSQL know, but for their schema. */
export async function wipeQueue(databaseUrl: string): Promise<void> {
  const database = connect({ url: databaseUrl, name: 'wipe', connectionsMax: 1 })
  try {
    const { rows } = await database.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname = 'pushkeep_queue' and tablename not like '%migration%'`,
    )
    const truncate = `truncate ${rows.map((row) => row.name).join(', ')} cascade`
    // The queue's own statements lock the tables in their own order, so that one of the two may have
    // to give way; they do not wait for long, and a wipe comes through within a few tries.
    for (let triesLeft = 20; ; triesLeft -= 1) {
      try {
        await database.query(truncate)
        return
      } catch (error) {
        if (triesLeft === 0 || !isDeadlock(error)) throw error
      }
    }
  } finally {
    await database.end()
  }
}

function isDeadlock(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === deadlockDetected
}
