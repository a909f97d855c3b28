import type { Attributes } from '@pushkeep/domain'
import {
  type Caps,
  type Command,
  createCommander,
  findPerson,
  type NewPersonEvent,
  type Registration,
  readEvents,
} from '../src/index.ts'
import { changeOf, createRegistry } from './registry.ts'

/** Commands as short as a test wants them, on a registry of its own. */
export async function createCommanded(caps: Partial<Caps> = {}) {
  const registry = await createRegistry(caps)
  const { database, workspaceNo, appNo } = registry
  const run = createCommander(database)

  const identify = (
    id: string,
    attributes: Attributes = {},
    anonymousId: string | null = null,
    changes: { isUpdateOnly?: boolean; at?: number } = {},
  ): Command => ({
    kind: 'identify',
    call: { workspaceNo, id, attributes, anonymousId, isUpdateOnly: false, at: null, ...changes },
  })

  const event = (
    personId: string | null,
    name: string,
    changes: Partial<NewPersonEvent> = {},
  ): Command => ({
    kind: 'event',
    event: {
      workspaceNo,
      personId,
      anonymousId: null,
      type: 'event',
      name,
      at: null,
      properties: {},
      messageId: null,
      ...changes,
    },
  })

  const register = (
    token: string,
    personId: string | null,
    changes: Partial<Registration> = {},
  ): Command => ({
    kind: 'register-device',
    call: {
      workspaceNo,
      appNo,
      token,
      platform: 'ios',
      environment: null,
      personId,
      installationId: null,
      previousToken: null,
      change: changeOf({}),
      lastUsed: null,
      at: null,
      ...changes,
    },
  })

  const remove = (token: string, personId: string | null, at: number | null = null): Command => ({
    kind: 'delete-device',
    call: { appNo, token, personId, at },
  })

  return {
    ...registry,
    run,
    identify,
    event,
    register,
    remove,
    describeNobody: (anonymousId: string, attributes: Attributes): Command => ({
      kind: 'describe-nobody',
      call: { workspaceNo, anonymousId, attributes },
    }),
    /** Runs commands that carry no ids. */
    do: (...commands: Command[]) => run(commands.map((command) => ({ command, message: null }))),
    /** Runs commands, each under the id given with it. */
    send: (...sent: [messageId: string, command: Command][]) =>
      run(sent.map(([messageId, command]) => ({ command, message: { workspaceNo, messageId } }))),
    person: (id: string) => findPerson(database, { workspaceNo, id }),
    attributes: async (id: string) =>
      (await findPerson(database, { workspaceNo, id }))?.attributes ?? null,
    /** Names of a person's events, the oldest first; null where there is no such person. */
    async names(id: string): Promise<string[] | null> {
      const page = await readEvents(database, { workspaceNo, id, limit: 1000, after: null })
      return page?.events.map(({ name }) => name).toReversed() ?? null
    },
  }
}

export type Commanded = Awaited<ReturnType<typeof createCommanded>>
