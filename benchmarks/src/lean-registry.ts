import {
  type Authenticate,
  createAuthenticator,
  createLogger,
  createMetrics,
  noRates,
  startLimits,
  usualRates,
} from '@pushkeep/runtime'
import { connect, type Database, groupRole, indexedSettings, type Sql } from '@pushkeep/store'
import { buildApp } from '@pushkeep/token-registry'
import { z } from 'zod'

/**
 * A token registry with some of what guards it left out, run as a process of its own: it is told what by its first
 * message, and sends its URL.
 */
const LeanOptions = z.object({
  /** The owner's. */
  databaseUrl: z.string(),
  secretKey: z.string(),
  keys: z.boolean(),
  limits: z.boolean(),
  rowLevel: z.boolean(),
})
export type LeanOptions = z.infer<typeof LeanOptions>

process.once('message', (message) => void start(LeanOptions.parse(message)))
// It ends with the bench.
process.once('disconnect', () => process.exit())

async function start(options: LeanOptions): Promise<void> {
  const logger = createLogger({ name: 'lean-registry', level: 'warn' })
  const database = openDatabase(options)
  const limits = await startLimits({
    rates: options.limits ? usualRates : noRates,
    bucketsMax: 50_000,
    database,
    redisUrl: undefined,
    metrics: createMetrics({ name: 'lean-registry', version: '0' }),
    logger,
  })
  const authenticate = await callers(database, options)
  const app = buildApp({ database, logger, authenticate, limiter: limits.limiter })
  process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }))
}

/** With row-level security as the registry connects; without it as the owner, with no word of workspaces. */
function openDatabase({ databaseUrl, rowLevel }: LeanOptions): Database {
  const role: Record<string, string> = rowLevel ? { role: groupRole('registry') } : {}
  const settings = { ...indexedSettings, ...role }
  const database = connect({ url: databaseUrl, name: 'lean-registry', settings })
  if (rowLevel) return database
  const query: Sql['query'] = async (config, values) => {
    const client = await database.connect()
    try {
      return await client.query(config, values)
    } finally {
      client.release()
    }
  }
  return Object.defineProperty(database, 'query', { value: query })
}

/** Without keys each call is the one caller's. */
async function callers(database: Database, options: LeanOptions): Promise<Authenticate> {
  const authenticate = createAuthenticator(database)
  if (options.keys) return authenticate
  const caller = await authenticate(`Bearer ${options.secretKey}`)
  if (!caller) throw new Error('the key is unknown')
  return () => caller
}
