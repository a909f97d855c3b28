import { isDeepStrictEqual } from 'node:util'
import type { Database } from '../../src/index.ts'
import type { Command } from './commands.ts'
import { claimDeed, leaseEndDeed, recordDeed, sendDeed } from './delivery-deeds.ts'
import type { Life } from './life.ts'
import { expected, look, type Seen } from './look.ts'
import { changeDeed, personDeed, registerDeed } from './registry-deeds.ts'
import { createWorld, type Deed, tick, type World } from './world.ts'

/** A life that is under way: the database, the model, and what has been settled so far. */
interface Running {
  world: World
  /** What may have happened so far: of commands at once nobody knows which came first. */
  lives: Life[]
  kept: Map<string, string>
  claims: number
  sends: number
}

/** Lives a life, some commands at once in each step; throws where the model cannot explain a step. */
export async function live(database: Database, steps: Command[][]): Promise<void> {
  const running: Running = {
    world: await createWorld(database),
    lives: [
      {
        people: new Map(),
        devices: new Map(),
        messages: new Map(),
        sends: new Map(),
        acceptedAt: 0,
      },
    ],
    kept: new Map(),
    claims: 0,
    sends: 0,
  }
  for (const [index, commands] of steps.entries()) {
    await takeStep(running, commands, `step ${index}`)
  }
  await finish(running)
}

async function takeStep(running: Running, commands: Command[], name: string): Promise<void> {
  const { world } = running
  const now = tick(world) + 0.5
  const deeds: Deed[] = []
  for (const [node, command] of commands.entries()) {
    const one = commands.length === 1 ? command : withKnownPrevious(running.lives, command)
    deeds.push(await deedOf(running, one, node))
  }
  await Promise.all(deeds.map((deed) => deed.act()))
  const seen = await look(world, running.kept)
  const problems = new Set<string>()
  const lives: Life[] = []
  for (const before of running.lives) {
    for (const order of orders(deeds)) {
      const life = structuredClone(before)
      const problem = order.map((deed) => deed.explain(life, now)).find((text) => text !== null)
      if (problem !== undefined) problems.add(problem)
      else if (!isDeepStrictEqual(seen, expected(life)))
        problems.add(difference(seen, expected(life)))
      else if (!lives.some((other) => isDeepStrictEqual(other, life))) lives.push(life)
    }
  }
  running.lives = lives
  if (lives.length > 0) return
  throw new Error(`${name}, ${JSON.stringify(commands)}: ${[...problems].join('\nor ')}`)
}

/**
 * Two tokens that nobody knows, each said to replace the other at the same moment, have no row that
 * one could wait for: both stay. Nothing but a mistake does that, and it is left out.
 */
function withKnownPrevious(lives: Life[], command: Command): Command {
  if (command.do !== 'register') return command
  if (lives.every(({ devices }) => devices.has(command.previous ?? ''))) return command
  return { ...command, previous: null }
}

async function deedOf(running: Running, command: Command, node: number): Promise<Deed> {
  const { world } = running
  switch (command.do) {
    case 'register':
      return registerDeed(world, command, node)
    case 'clear identify':
    case 'delete device':
      return changeDeed(world, command)
    case 'delete person':
    case 'suppress':
    case 'unsuppress':
      return personDeed(world, command)
    case 'send':
      running.sends += 1
      return sendDeed(world, command, `m${running.sends}`)
    case 'claim':
      return claimDeed(world, command, () => {
        running.claims += 1
        return running.claims
      })
    case 'lease runs out':
      return leaseEndDeed(world, command)
    case 'record':
      return recordDeed(world, command)
  }
}

/** Every order in which some deeds may have happened. */
function orders(deeds: readonly Deed[]): Deed[][] {
  if (deeds.length <= 1) return [[...deeds]]
  return deeds.flatMap((first) =>
    orders(deeds.filter((deed) => deed !== first)).map((rest) => [first, ...rest]),
  )
}

function difference(seen: Seen, wanted: Seen): string {
  const lines: string[] = []
  for (const part of ['devices', 'deliveries', 'counts'] as const) {
    for (const key of new Set([...Object.keys(seen[part]), ...Object.keys(wanted[part])])) {
      const [is, should] = [seen[part][key], wanted[part][key]]
      if (isDeepStrictEqual(is, should)) continue
      lines.push(`${key} is ${JSON.stringify(is)}, should be ${JSON.stringify(should)}`)
    }
  }
  return lines.join('\n')
}

/** Nothing is lost: whatever is open is claimed and answered, until every delivery has its end (R4). */
async function finish(running: Running): Promise<void> {
  const end = (command: Command) => takeStep(running, [command], 'at the end')
  for (let round = 0; round < 200; round += 1) {
    if (!(await isOpen(running.world))) break
    const known = running.world.claimed.length
    await end({ do: 'lease runs out', chunk: 0, isRung: true })
    for (let claims = 0; claims < 4; claims += 1) await end({ do: 'claim', chunk: 0 })
    const fresh = running.world.claimed.length - known
    if (fresh === 0) continue
    const answers = Array.from({ length: fresh }, (_, send) => {
      return { send, says: 'accepted' as const, since: null, ago: 0 }
    })
    await end({ do: 'record', answers })
  }
  if (await isOpen(running.world)) throw new Error('a chunk never ends')
  const recipients = running.lives.flatMap(({ messages }) => [...messages.values()])
  for (const { status } of recipients.flatMap((tokens) => [...tokens.values()])) {
    if (status === 'pending') throw new Error('a delivery has no end')
  }
}

async function isOpen({ database, appNo }: World): Promise<boolean> {
  const { rows } = await database.query(
    `select from chunks where app_no = $1 and state <> 'done' limit 1`,
    [appNo],
  )
  return rows.length > 0
}
