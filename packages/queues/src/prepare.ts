import { runMigrations } from 'bullmq'
import pg from 'pg'
import { postgresSchema, type QueueBackend } from './connection.ts'
import { queueNames } from './names.ts'

/**
 * Brings the schema of queues in PostgreSQL to where this version works with it, where this role may
 * create one, and lets the roles of workers and push sender use it. A role that may not leaves it to
 * the owner of the database. Redis needs no preparation.
 */
export async function prepareQueues(backend: QueueBackend): Promise<QueueBackend> {
  if (backend.kind === 'redis') return backend
  const client = new pg.Client({
    connectionString: backend.url,
    application_name: 'pushkeep queues',
  })
  await client.connect()
  try {
    const { rows } = await client.query<{ may: boolean }>(
      `select has_database_privilege(current_database(), 'create') as may`,
    )
    if (rows[0]?.may) {
      await runMigrations(client, postgresSchema)
      await client.query(sequences)
      await client.query(grants)
    }
  } finally {
    await client.end()
  }
  return { ...backend, isPrepared: true }
}

// BullMQ makes the sequence of a queue's job numbers when a queue gets many jobs at once, which the roles of the
// programs may not. Under the lock that BullMQ takes for it.
const sequences = `do $$
declare
  queue text;
begin
  foreach queue in array array[${queueNames.map((name) => `'${name}'`).join(', ')}]
  loop
    perform pg_advisory_xact_lock(hashtext('bullmq:jidseq:' || queue));
    execute format('create sequence if not exists ${postgresSchema}.%I', ${postgresSchema}.job_id_seq_name(queue));
  end loop;
end $$`

// Where the roles are missing everything is done with one role.
const grants = `do $$
declare
  program text;
begin
  for program in select rolname from pg_roles where rolname in ('pushkeep_workers', 'pushkeep_sender')
  loop
    execute format('grant usage on schema ${postgresSchema} to %I', program);
    execute format('grant select, insert, update, delete on all tables in schema ${postgresSchema} to %I', program);
    execute format('grant usage on all sequences in schema ${postgresSchema} to %I', program);
    execute format('grant execute on all functions in schema ${postgresSchema} to %I', program);
  end loop;
end $$`
