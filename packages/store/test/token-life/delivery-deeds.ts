import { randomUUID } from 'node:crypto'
import {
  claimWindow,
  closeChunk,
  leaseChunks,
  planSlice,
  type Recipient,
  recordOutcomes,
  rescue,
  tokenHash,
} from '../../src/index.ts'
import { accept, report } from '../fixtures.ts'
import type { Command } from './commands.ts'
import type { Answer, Life } from './life.ts'
import * as model from './model.ts'
import { judge } from './worker.ts'
import { type Claimed, type Deed, type Held, tickAgo, type World } from './world.ts'

type Of<Kind extends Command['do']> = Extract<Command, { do: Kind }>

/** Recipients that a worker claims at once: few, so that a chunk takes several windows. */
const windowSize = 2

export function sendDeed(world: World, { to, onUnknown }: Of<'send'>, name: string): Deed {
  return {
    async act() {
      const audience = to === null ? { all: true as const } : { person_id: to }
      const id = await accept(world, { to: audience, on_unknown: onUnknown })
      const { messageNo } = await report(world, id)
      while (to === null && (await planSlice(world.database, messageNo)));
      world.messages.push({ name, id, messageNo, onUnknown })
    },
    explain(life) {
      model.send(life, name, to)
      return null
    },
  }
}

const nothing: Deed = { act: async () => {}, explain: () => null }

/** The open chunk that a command means, or null where none is open. */
async function openChunk(world: World, pick: number): Promise<string | null> {
  const { rows } = await world.database.query<{ chunk_no: string }>(
    `select chunk_no::text from chunks where app_no = $1 and state <> 'done' order by chunk_no`,
    [world.appNo],
  )
  return rows[pick % rows.length]?.chunk_no ?? null
}

export async function claimDeed(
  world: World,
  command: Of<'claim'>,
  nextNo: () => number,
): Promise<Deed> {
  const chunkNo = await openChunk(world, command.chunk)
  if (chunkNo === null) return nothing
  const claims: Claimed[] = []
  const step = world.ticks.length - 1
  return {
    async act() {
      const names = await deviceNames(world)
      const held = world.held.get(chunkNo)
      const recipients = held ? await claimNext(world, held) : await lease(world, chunkNo)
      const chunk = world.held.get(chunkNo)?.leased
      if (!chunk) return
      const message = world.messages.find(({ messageNo }) => messageNo === chunk.messageNo)?.name
      for (const recipient of recipients) {
        const token = names.get(recipient.deviceNo)
        if (!message || !token) throw new Error('a claim of what nobody sent')
        claims.push({ no: nextNo(), message, token, chunk, recipient, step, isAnswered: false })
      }
      world.claimed.push(...claims)
    },
    explain(life) {
      const problems = claims.flatMap((claim) => explainClaim(world, life, claim))
      return problems.length === 0 ? null : problems.join('; ')
    },
  }
}

async function deviceNames(world: World): Promise<Map<number, string>> {
  const { rows } = await world.database.query<{ device_no: string; token_hash: string }>(
    'select device_no, token_hash from devices where app_no = $1',
    [world.appNo],
  )
  const byHash = new Map([...world.realTokens].map(([name, token]) => [tokenHash(token), name]))
  return new Map(
    rows.map((row) => [
      Number(row.device_no),
      byHash.get(row.token_hash.replaceAll('-', '')) ?? '?',
    ]),
  )
}

async function lease(world: World, chunkNo: string): Promise<Recipient[]> {
  const lease = randomUUID()
  const [leased] = await leaseChunks(world.database, [{ chunkNo, lease }], windowSize)
  if (!leased) return []
  world.held.set(chunkNo, { chunkNo, lease, leased, claimed: leased.claimed })
  return leased.recipients
}

/**
 * The next window; at the end of the chunk, once every answer is written down, its closing, which
 * makes a chunk of what is tried again.
 */
async function claimNext(world: World, held: Held): Promise<Recipient[]> {
  const { leased, lease, chunkNo, claimed } = held
  if (claimed >= leased.size) {
    const isAnswered = world.claimed.every((one) => one.chunk !== leased || one.isAnswered)
    if (isAnswered) await closeChunk(world.database, chunkNo, lease)
    return []
  }
  const next = await claimWindow(world.database, { ...leased, claimed }, lease, windowSize)
  if (next) held.claimed = Math.min(leased.size, claimed + windowSize)
  return next ?? []
}

function explainClaim(world: World, life: Life, claim: Claimed): string[] {
  const { message, token, recipient } = claim
  const delivery = life.messages.get(message)?.get(token)
  const device = life.devices.get(token)
  const name = `${message} to ${token}`
  if (!delivery || !device) return [`${name} was never planned`]
  const problems: string[] = []
  if (delivery.status !== 'pending') problems.push(`${name} is sent again after ${delivery.status}`)
  if (delivery.isUnknown !== recipient.mayHaveBeenSent) {
    problems.push(`${name}: may have been sent: ${recipient.mayHaveBeenSent}`)
  }
  const reasons = model.standsAgainst(life, device, delivery)
  const isExplained =
    recipient.withheld === null ? reasons.length === 0 : reasons.includes(recipient.withheld)
  if (!isExplained) problems.push(`${name}: withheld ${recipient.withheld}, not [${reasons}]`)
  if (recipient.withheld === null && recipient.token !== world.realTokens.get(token)) {
    problems.push(`${name} goes to another token`)
  }
  const { registration, registeredAt } = device
  life.sends.set(claim.no, { message, token, registration, registeredAt })
  delivery.isUnknown = true
  return problems
}

/** Time passes: the lease is over, a chunk that waits is due, and the reconciler may have looked. */
export async function leaseEndDeed(world: World, command: Of<'lease runs out'>): Promise<Deed> {
  const chunkNo = await openChunk(world, command.chunk)
  if (chunkNo === null) return nothing
  return {
    async act() {
      await world.database.query(
        `update chunks set rescue_at = now() - interval '1 second', due_at = least(due_at, now())
         where chunk_no = $1`,
        [chunkNo],
      )
      if (command.isRung) await rescue(world.database, 1000)
      world.held.delete(chunkNo)
    },
    explain: () => null,
  }
}

export function recordDeed(world: World, { answers }: Of<'record'>): Deed {
  // Those without an answer first, the newest of them before the others.
  const sends = world.claimed
    .toReversed()
    .sort((a, b) => Number(a.isAnswered) - Number(b.isAnswered))
  const judged = answers.flatMap((given, index) => {
    const claim = sends[given.send % sends.length]
    if (!claim) return []
    // Seen after the claim, each at a time of its own.
    const first = world.ticks[claim.step + 1] ?? 0
    const at = Math.max(first, tickAgo(world, given.ago)) + index / 10
    const since = given.since === null ? null : tickAgo(world, given.since)
    const message = world.messages.find(({ name }) => name === claim.message)
    const said = { says: given.says, since, at }
    return [{ claim, at, ...judge(claim, said, message?.onUnknown ?? 'retry') }]
  })
  return {
    async act() {
      const batch = judged.map(({ recording }) => recording)
      if (batch.length > 0) await recordOutcomes(world.database, batch)
      for (const { claim } of judged) claim.isAnswered = true
    },
    explain(life) {
      const together = inOrder(judged)
      for (const { claim, answer, at } of together) {
        const send = life.sends.get(claim.no)
        if (!send) return 'an answer to a send that is unknown'
        model.record(life, send, answer, at)
      }
      // What is written together does not tell anything of one another.
      const accepted = together.filter(({ answer }) => answer.kind === 'accepted')
      life.acceptedAt = Math.max(life.acceptedAt, ...accepted.map(({ at }) => at))
      return null
    },
  }
}

interface Judged {
  claim: Claimed
  answer: Answer
  at: number
}

/**
 * Of what is written together the first that settles a delivery counts, and the newest speaks for its
 * device: as if the newest had been written first.
 */
function inOrder(judged: readonly Judged[]): Judged[] {
  const kept = new Map<string, Judged>()
  for (const one of judged) {
    const name = `${one.claim.message} to ${one.claim.token}`
    const other = kept.get(name)
    if (!other || other.answer.kind === 'busy') kept.set(name, one)
  }
  return [...kept.values()].sort((one, other) => other.at - one.at)
}
