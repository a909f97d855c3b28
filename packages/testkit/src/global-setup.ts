import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type LocalPostgres, startPostgres } from '@pushkeep/local-runner'
import { connect, migrate } from '@pushkeep/store'
import type { TestProject } from 'vitest/node'
import { startRedis } from './redis.ts'

// The system's programs are started a hundred times a run: compiled once, a start takes half the work.
const compileCache = fileURLToPath(new URL('../../../node_modules/.cache/node', import.meta.url))

/** One PostgreSQL and one Redis for the whole run; each test file and each system has a database of its own. */
export default async function setup(project: TestProject) {
  process.env.NODE_COMPILE_CACHE ??= compileCache
  const directory = await mkdtemp(join(tmpdir(), 'pushkeep-test-'))
  // As root, PostgreSQL runs as a user of its own, who has to get through to its data.
  await chmod(directory, 0o711)
  const postgres = await startPostgres({
    directory: join(directory, 'postgres'),
    // Of a kind that a test can look for where it must not be.
    password: randomBytes(24).toString('base64url'),
    // Each process of workers holds a few dozen where its queues are here, too.
    settings: ['fsync=off', 'max_connections=600', 'shared_buffers=256MB', 'max_wal_size=2GB'],
  })
  const [redis, template] = await Promise.all([startRedis(directory), makeTemplate(postgres)])
  project.provide('postgresUrl', postgres.url('postgres'))
  project.provide('postgresTemplate', template)
  project.provide('redisUrl', redis?.url ?? null)
  return async () => {
    await redis?.stop()
    await postgres.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

/** Migrated once: a copy takes less than half the time of creating and migrating one. */
async function makeTemplate(postgres: LocalPostgres): Promise<string> {
  const name = 'template_migrated'
  const server = connect({ url: postgres.url('postgres'), name: 'testkit', connectionsMax: 1 })
  await server.query(`create database ${name}`)
  const database = connect({ url: postgres.url(name), name: 'testkit', connectionsMax: 1 })
  await migrate(database)
  await database.end()
  // Nobody is to be connected while it is copied.
  await server.query(`alter database ${name} allow_connections false`)
  await server.end()
  return name
}
