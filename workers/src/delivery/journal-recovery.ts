import { randomUUID } from 'node:crypto'
import { readdir, readFile, rename, stat, unlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { deliveryStatuses } from '@pushkeep/domain'
import type { Recording } from '@pushkeep/store'
import { z } from 'zod'
import { journalStaleMs, journalSuffix } from './journal.ts'

/** A process of another version may have written it: what does not fit is left out. */
const Outcome = z.object({
  chunkNo: z.string().regex(/^\d+$/),
  messageNo: z.string().regex(/^\d+$/),
  appNo: z.int(),
  provider: z.enum(['apns', 'fcm']),
  deviceNo: z.int(),
  personNo: z.int().nullable(),
  status: z.enum(deliveryStatuses),
  reason: z.string().nullable(),
  attempts: z.int(),
  at: z.number(),
  effect: z.object({
    lastStatus: z.enum(['', 'sent', 'bounced', 'suppressed']).nullable(),
    token: z.enum(['live', 'retired']).nullable(),
    failures: z.int().nullable(),
  }),
  epoch: z.int(),
  environment: z.enum(['production', 'sandbox']).nullable(),
}) satisfies z.ZodType<Recording>

const Line = z.array(Outcome)

export interface RecoveryOptions {
  directory: string
  /** Records a batch, all or nothing. What is recorded already it leaves as it is. */
  write: (batch: readonly Recording[]) => Promise<unknown>
  batchSize: number
  now: () => number
}

/** What was found in journals of processes that are gone. */
export interface Recovered {
  outcomes: number
  /** Lines that could not be read: cut off, or of another version. */
  unreadable: number
}

/**
 * Records what workers of this machine knew when they were killed, before their leases run out and
 * the same deliveries count as unknown. A file is taken by renaming it: one process gets it; where
 * that one fails, it is stale again after a while, and somebody else's turn.
 */
export async function recoverOutcomes(options: RecoveryOptions): Promise<Recovered> {
  const recovered = { outcomes: 0, unreadable: 0 }
  for (const path of await staleJournals(options)) {
    const taken = await take(options, path)
    if (taken === null) continue
    const { outcomes, unreadable } = parseJournal(await readFile(taken, 'utf8'))
    for (let from = 0; from < outcomes.length; from += options.batchSize) {
      await options.write(outcomes.slice(from, from + options.batchSize))
    }
    await unlink(taken)
    recovered.outcomes += outcomes.length
    recovered.unreadable += unreadable
  }
  return recovered
}

async function staleJournals({ directory, now }: RecoveryOptions): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(journalSuffix))
  const stale: string[] = []
  for (const name of names) {
    const path = join(directory, name)
    const file = await unlessGone(stat(path))
    if (file && now() - file.mtimeMs >= journalStaleMs) stale.push(path)
  }
  return stale
}

async function take(options: RecoveryOptions, path: string): Promise<string | null> {
  const taken = join(options.directory, `${randomUUID()}${journalSuffix}`)
  const seconds = options.now() / 1000
  const isOurs = await unlessGone(rename(path, taken).then(() => utimes(taken, seconds, seconds)))
  return isOurs === null ? null : taken
}

/** null where the file went meanwhile: its owner ended in good order, or another process took it. */
async function unlessGone<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function parseJournal(text: string): { outcomes: Recording[]; unreadable: number } {
  const outcomes: Recording[] = []
  let unreadable = 0
  for (const line of text.split('\n')) {
    if (line === '') continue
    const parsed = Line.safeParse(parseJson(line))
    if (parsed.success) outcomes.push(...parsed.data)
    else unreadable += 1
  }
  return { outcomes, unreadable }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
