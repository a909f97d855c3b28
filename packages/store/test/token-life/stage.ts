import { randomUUID } from 'node:crypto'
import { type DeviceEvent, deviceEffect } from '@pushkeep/domain'
import {
  claimWindow,
  createRegistrar,
  type Database,
  findDevice,
  type LeasedChunk,
  leaseChunks,
  type Recipient,
  type Recording,
  type Registration,
  readTimeline,
} from '../../src/index.ts'
import { createScene, report, type Scene, sent } from '../fixtures.ts'

export const rounds = Array.from({ length: 15 }, (_, n) => n)

type Call = Partial<Registration> & { token: string }

/** An app in the test's database, with two nodes of the registry, and workers. */
export async function createStage(database: Database) {
  const scene = await createScene(database)
  const nodes = [createRegistrar(database), createRegistrar(database)] as const
  const complete = (call: Call): Registration => ({
    workspaceNo: scene.workspaceNo,
    appNo: scene.appNo,
    platform: 'ios',
    environment: null,
    personId: null,
    installationId: null,
    previousToken: null,
    change: { set: {}, remove: [], pushPermission: true },
    lastUsed: null,
    at: null,
    ...call,
  })
  const name = (token: string) => ({ appNo: scene.appNo, token })
  return {
    ...scene,
    register: (call: Call) => nodes[0](complete(call)),
    registerElsewhere: (call: Call) => nodes[1](complete(call)),
    device: (token: string) => findDevice(database, name(token)),
    person: (id: string) => ({ workspaceNo: scene.workspaceNo, id }),
    /** What a change of a token names, said now and by nobody in particular. */
    change: (token: string) => ({ ...name(token), at: null, personId: null }),
    /** The kinds of a token's events, oldest first. */
    async told(token: string): Promise<string[]> {
      const page = await readTimeline(database, { ...name(token), limit: 100, after: null })
      return page.events.map(({ kind }) => kind).reverse()
    },
    counts: async (id: string) => (await report(scene, id)).counts,
  }
}

export type Stage = Awaited<ReturnType<typeof createStage>>

/** A chunk in a worker's hands. */
export interface Hand {
  chunk: LeasedChunk
  lease: string
  claimed: number
}

/** Leases the only open chunk of a message, with its first window. */
export async function takeChunk(scene: Scene, id: string, window = 100): Promise<Hand> {
  const { messageNo } = await report(scene, id)
  const { rows } = await scene.database.query<{ chunkNo: string }>(
    `select chunk_no::text as "chunkNo" from chunks where message_no = $1 and state <> 'done'`,
    [messageNo],
  )
  const lease = randomUUID()
  const [chunk] = await leaseChunks(
    scene.database,
    rows.map(({ chunkNo }) => ({ chunkNo, lease })),
    window,
  )
  if (!chunk || rows.length > 1) throw new Error('not one chunk to lease')
  return { chunk, lease, claimed: chunk.claimed }
}

/** The next window of a chunk. */
export async function nextWindow(
  { database }: Scene,
  hand: Hand,
  window: number,
): Promise<Recipient[]> {
  const { chunk, lease, claimed } = hand
  const recipients = await claimWindow(database, { ...chunk, claimed }, lease, window)
  if (!recipients) throw new Error('the lease was lost')
  hand.claimed = Math.min(chunk.size, claimed + window)
  return recipients
}

/** The only recipient of a window. */
export function only(recipients: readonly Recipient[]): Recipient {
  const [recipient] = recipients
  if (!recipient || recipients.length > 1) throw new Error(`${recipients.length} recipients`)
  return recipient
}

/** What is written down of a recipient: withheld, or accepted by the provider. */
export function outcome({ chunk }: Hand, recipient: Recipient): Recording {
  if (recipient.withheld === null) return sent(chunk, recipient)
  const isChanged = ['reassigned', 'deleted'].includes(recipient.withheld)
  const event: DeviceEvent = { kind: isChanged ? 'untouched' : 'withheld' }
  const { withheld: reason } = recipient
  return sent(chunk, recipient, { status: 'suppressed', reason, effect: deviceEffect(event) })
}

/** A token that its provider calls dead. */
export function dead({ chunk }: Hand, recipient: Recipient): Recording {
  const effect = deviceEffect({ kind: 'token-dead' })
  return sent(chunk, recipient, { status: 'bounced', reason: 'Unregistered', effect })
}
