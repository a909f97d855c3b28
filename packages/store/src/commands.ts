import { auditDeeds, type Deed } from './audit-deeds.ts'
import { TooManyDevicesError } from './caps.ts'
import { claimMessages } from './client-messages.ts'
import { type CoalescedRun, coalesce } from './coalesce.ts'
import type { AloneCommand, CommandVerdict, Sent, TogetherCommand } from './command.ts'
import { applyTogether } from './commands-together.ts'
import { type Database, inTransaction, type Sql } from './connect.ts'
import { isAttributesTooLarge } from './device-rows.ts'
import { mergePeopleIn } from './merge-people.ts'
import { deletePersonIn, erasePersonIn, unsuppressPerson } from './people.ts'
import { withRaces } from './raced.ts'

/** Most commands in one transaction. */
const togetherMax = 300

/**
 * Runs lists of commands, each in its order, and answers with a verdict each once all of it is
 * committed. A list is done in few statements; lists that arrive together share them.
 */
export function createCommander(
  database: Database,
  onRun: (run: CoalescedRun) => void = () => {},
): (list: readonly Sent[]) => Promise<CommandVerdict[]> {
  const run = coalesce<readonly Sent[], CommandVerdict[]>({
    run: (lists) => runLists(database, lists),
    weightOf: (list) => list.length,
    sizeMax: togetherMax,
    runsMax: 2,
    waitingMax: 10_000,
    onRun,
  })
  return async (list) => {
    const verdicts: CommandVerdict[] = []
    for (let start = 0; start < list.length; start += togetherMax) {
      verdicts.push(...(await run(list.slice(start, start + togetherMax))))
    }
    return verdicts
  }
}

/** One transaction for all lists; the coalescer divides them where it fails. */
async function runLists(
  database: Database,
  lists: readonly (readonly Sent[])[],
): Promise<CommandVerdict[][]> {
  const [only] = lists
  if (lists.length === 1 && only) return [await runList(database, only)]
  const all = await runTransaction(database, lists.flat())
  let start = 0
  return lists.map((list) => {
    start += list.length
    return all.slice(start - list.length, start)
  })
}

/** A list by itself is divided until the command is found that is at fault, the order kept. */
async function runList(database: Database, list: readonly Sent[]): Promise<CommandVerdict[]> {
  try {
    return await runTransaction(database, list)
  } catch (error) {
    const refusal = refusalBy(error)
    if (refusal === null) throw error
    if (list.length === 1) return [refusal]
    const middle = list.length >> 1
    const first = await runList(database, list.slice(0, middle))
    return [...first, ...(await runList(database, list.slice(middle)))]
  }
}

/** What a list fails for where one of its commands is at fault; null: the fault is not theirs. */
function refusalBy(error: unknown): CommandVerdict | null {
  if (isAttributesTooLarge(error)) return 'too_large'
  return error instanceof TooManyDevicesError ? 'too_many_devices' : null
}

function runTransaction(database: Database, list: readonly Sent[]): Promise<CommandVerdict[]> {
  return withRaces(() =>
    inTransaction(database, async (sql) => {
      const fresh = await freshOf(sql, list)
      const deeds = await apply(
        sql,
        list.filter((_, n) => fresh[n]),
      )
      // Last: writers of a workspace's log take turns until they commit.
      await auditDeeds(sql, deeds)
      return fresh.map((isFresh) => (isFresh ? 'done' : 'repeated'))
    }),
  )
}

async function freshOf(sql: Sql, list: readonly Sent[]): Promise<boolean[]> {
  const messages = list.flatMap(({ message }) => (message ? [message] : []))
  if (messages.length === 0) return list.map(() => true)
  const claimed = await claimMessages(sql, messages)
  return list.map(({ message }) => message === null || claimed.shift() === true)
}

async function apply(sql: Sql, list: readonly Sent[]): Promise<Deed[]> {
  const deeds: Deed[] = []
  let together: TogetherCommand[] = []
  const applyGathered = async () => {
    if (together.length > 0) await applyTogether(sql, together)
    together = []
  }
  for (const { command, actor } of list) {
    if ('person' in command || 'merge' in command) {
      await applyGathered()
      const deed = await applyAlone(sql, command)
      if (deed && actor) deeds.push({ ...deed, actor })
      continue
    }
    // Whether there is such a person may depend on the commands before it.
    if (command.kind === 'identify' && command.call.isUpdateOnly) await applyGathered()
    together.push(command)
  }
  await applyGathered()
  return deeds
}

/** What there is to tell of it; null: it changed nothing. */
async function applyAlone(sql: Sql, command: AloneCommand): Promise<Omit<Deed, 'actor'> | null> {
  switch (command.kind) {
    case 'delete-person':
      return deedOn('person.delete', await deletePersonIn(sql, command.person))
    case 'erase-person':
      return deedOn('person.erase', (await erasePersonIn(sql, command.person)).personNo)
    case 'unsuppress-person': {
      const person = await unsuppressPerson(sql, command.person)
      return deedOn('person.unsuppress', person?.personNo ?? null)
    }
    case 'merge-people':
      return deedOn('person.merge', await mergePeopleIn(sql, command.merge))
  }
}

function deedOn(action: Deed['action'], personNo: string | null): Omit<Deed, 'actor'> | null {
  return personNo === null ? null : { action, personNo }
}
