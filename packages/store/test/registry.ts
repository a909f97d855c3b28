import { randomBytes } from 'node:crypto'
import { type Attributes, deviceAttributeChange } from '@pushkeep/domain'
import { createTestDatabase } from '@pushkeep/testkit'
import { expect } from 'vitest'
import {
  appsOf,
  type Caps,
  capSettings,
  createApp,
  createRegistrar,
  createWorkspace,
  type Device,
  findDevice,
  type Registration,
  readTimeline,
} from '../src/index.ts'

export function randomToken(): string {
  return randomBytes(32).toString('hex')
}

export function changeOf(attributes: Attributes) {
  const result = deviceAttributeChange(attributes)
  if (result.kind === 'problem') throw new Error(result.problem.message)
  return result.change
}

/** A workspace with one app in a database of its own, and what the tests do with it. */
export async function createRegistry(caps: Partial<Caps> = {}) {
  const testDatabase = await createTestDatabase(20, capSettings(caps))
  const { database } = testDatabase
  const { workspaceNo } = await createWorkspace(database, 'test')
  const { appNo } = await createApp(database, workspaceNo, 'test')
  const register = createRegistrar(database)
  const complete = (call: Partial<Registration> & { token: string }): Registration => ({
    workspaceNo,
    appNo,
    platform: 'ios',
    environment: null,
    personId: null,
    installationId: null,
    previousToken: null,
    change: changeOf({}),
    lastUsed: null,
    at: null,
    ...call,
  })
  return {
    database,
    databaseUrl: testDatabase.url,
    workspaceNo,
    appNo,
    apps: () => appsOf(database, workspaceNo),
    complete,
    register: (call: Partial<Registration> & { token: string }) => register(complete(call)),
    /** As another process would, without sharing statements with `register`. */
    registerElsewhere: (call: Partial<Registration> & { token: string }) =>
      createRegistrar(database)(complete(call)),
    device: (token: string): Promise<Device | null> => findDevice(database, { appNo, token }),
    /** Oldest first. */
    async events(token: string) {
      const page = await readTimeline(database, { appNo, token, limit: 100, after: null })
      return page.events.toReversed()
    },
    async kinds(token: string): Promise<string[]> {
      return (await this.events(token)).map((event) => event.kind)
    },
    /** Waits until so many sessions of the test's database wait for a lock. */
    async waiting(count: number): Promise<void> {
      await expect
        .poll(async () => {
          const { rows } = await database.query<{ n: number }>(
            `select count(*)::int as n from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'`,
          )
          return rows[0]?.n
        })
        .toBe(count)
    },
    [Symbol.asyncDispose]: () => testDatabase[Symbol.asyncDispose](),
  }
}
