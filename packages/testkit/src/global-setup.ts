import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '@pushkeep/local-runner'
import type { TestProject } from 'vitest/node'
import { startRedis } from './redis.ts'

/** One PostgreSQL and one Redis for the whole run; each test file makes a database of its own. */
export default async function setup(project: TestProject) {
  const directory = await mkdtemp(join(tmpdir(), 'pushkeep-test-'))
  // As root, PostgreSQL runs as a user of its own, who has to get through to its data.
  await chmod(directory, 0o711)
  const postgres = await startPostgres({
    directory: join(directory, 'postgres'),
    password: 'test',
    settings: ['fsync=off', 'max_connections=300', 'shared_buffers=256MB', 'max_wal_size=2GB'],
  })
  const redis = await startRedis(directory)
  project.provide('postgresUrl', postgres.url('postgres'))
  project.provide('redisUrl', redis?.url ?? null)
  return async () => {
    await redis?.stop()
    await postgres.stop()
    await rm(directory, { recursive: true, force: true })
  }
}
