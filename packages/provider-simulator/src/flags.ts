import { parseArgs } from 'node:util'
import { z } from 'zod'
import type { SimulatorOptions } from './options.ts'

const Port = z.coerce.number().int().min(0).max(65_535)
const Positive = z.coerce.number().int().min(1)

const Flags = z.object({
  host: z.string().min(1).optional(),
  'admin-port': Port.optional(),
  'apns-port': Port.optional(),
  'apns-sandbox-port': Port.optional(),
  'fcm-port': Port.optional(),
  'state-dir': z.string().min(1).optional(),
  journal: z.enum(['full', 'count']).optional(),
  'journal-limit': Positive.optional(),
  'max-streams': Positive.optional(),
  'fcm-max-streams': Positive.optional(),
  seed: z.coerce.number().int().min(0).optional(),
})

/** Reads the command line; throws with all that is wrong with it. */
export function readFlags(args: string[]): SimulatorOptions {
  const text = { type: 'string' } as const
  const names = Object.keys(Flags.shape)
  const options = Object.fromEntries(names.map((name) => [name, text]))
  const parsed = Flags.safeParse(parseArgs({ args, options }).values)
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error))
  const flags = parsed.data
  return {
    host: flags.host,
    ports: {
      admin: flags['admin-port'] ?? 0,
      apnsProduction: flags['apns-port'] ?? 0,
      apnsSandbox: flags['apns-sandbox-port'] ?? 0,
      fcm: flags['fcm-port'] ?? 0,
    },
    stateDir: flags['state-dir'],
    journal: flags.journal,
    journalLimit: flags['journal-limit'],
    maxConcurrentStreams: flags['max-streams'],
    fcmMaxConcurrentStreams: flags['fcm-max-streams'],
    seed: flags.seed,
  }
}
