import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { z } from 'zod'
import { readJson, writePrivateJson } from '../../directory.ts'
import { Failure } from '../failure.ts'

/** How many lines came to what. */
const Tally = z.object({
  created: z.int(),
  updated: z.int(),
  identified: z.int(),
  late: z.int(),
  invalid: z.int(),
})
export type Tally = z.infer<typeof Tally>

export const emptyTally: Tally = { created: 0, updated: 0, identified: 0, late: 0, invalid: 0 }

const Checkpoint = z.object({
  /** The file and the options that it belongs to. */
  of: z.string(),
  line: z.int(),
  bytes: z.int(),
  columns: z.array(z.string()).nullable(),
  /** ms since the epoch: the same for all of a file, however often it is begun. */
  as_of: z.number(),
  report_bytes: z.int(),
  tally: Tally,
})

/** How far an import came: everything before is committed. */
export type Checkpoint = z.infer<typeof Checkpoint>

const headBytes = 65_536

/** Tells a file with its options from another: by its beginning, for it may still be growing. */
export async function identityOf(file: string, options: readonly unknown[]): Promise<string> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0)
    const hash = createHash('sha256').update(buffer.subarray(0, bytesRead))
    return hash.update(JSON.stringify(options)).digest('hex')
  } finally {
    await handle.close()
  }
}

/** The checkpoint of an import that broke off; null where there is none. */
export async function readCheckpoint(file: string, of: string): Promise<Checkpoint | null> {
  const stored = await readJson(file)
  if (stored === null) return null
  const parsed = Checkpoint.safeParse(stored)
  if (parsed.success && parsed.data.of === of) return parsed.data
  throw new Failure(
    `${file} is of another file or of other options: say --restart to begin anew (it is harmless to import a line twice)`,
  )
}

export async function writeCheckpoint(file: string, checkpoint: Checkpoint): Promise<void> {
  await writePrivateJson(file, checkpoint)
}

export async function removeCheckpoint(file: string): Promise<void> {
  await rm(file, { force: true })
}
