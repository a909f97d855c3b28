import { connect } from '@pushkeep/store'

/** Takes away everything that the queues in PostgreSQL know, but for their schema. */
export async function wipeQueue(databaseUrl: string): Promise<void> {
  const database = connect({ url: databaseUrl, name: 'wipe', connectionsMax: 1 })
  const { rows } = await database.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname = 'pushkeep_queue' and tablename not like '%migration%'`,
  )
  await database.query(`truncate ${rows.map((row) => row.name).join(', ')} cascade`)
  await database.end()
}
