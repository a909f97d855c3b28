import { readFile } from 'node:fs/promises'
import { connect, type Database, type EncryptionKey, surveyKeys, workersNow } from '@pushkeep/store'
import packageJson from '../../../package.json' with { type: 'json' }
import { Failure, failureOf } from '../failure.ts'
import { databaseUrl, type Env, encryptionKeyOf } from '../session.ts'
import { type Finding, problem } from './finding.ts'
import { judgeCredentials } from './judge/credentials.ts'
import { type DatabaseSeen, judgeDatabase } from './judge/database.ts'
import { judgeIdentities } from './judge/identity.ts'
import { judgeKeys, soonDays } from './judge/keys.ts'
import { judgeJournal, judgeNode, judgePorts } from './judge/machine.ts'
import { judgeProcesses } from './judge/processes.ts'
import { judgeQueues } from './judge/queues.ts'
import { judgeWork } from './judge/work.ts'
import { askProviders, lookAtCredentials } from './look/credentials.ts'
import { lookAtDatabase } from './look/database.ts'
import { lookAtIdentities } from './look/identity.ts'
import { lookAtJournal, lookAtPorts } from './look/machine.ts'
import { lookAtProcesses } from './look/processes.ts'
import { lookAtQueues } from './look/queues.ts'
import { lookAtWork } from './look/work.ts'
import { addressOf, type Place, placeOf } from './place.ts'

export interface DoctorOptions {
  /** Whether APNs and FCM are asked if they take the credentials. */
  providers: boolean
}

/** Looks at everything that can be looked at, and says of each what it found. */
export async function examine(env: Env, options: DoctorOptions): Promise<Finding[]> {
  const place = await placeOf(env)
  const { directory, local } = place
  const [byDatabase, queues, journal, ports] = await Promise.all([
    examineByDatabase(env, place, options),
    lookAtQueues(place.redisUrl),
    lookAtJournal(place.journal),
    directory === null ? null : lookAtPorts(directory, local),
  ])
  return [
    judgeNode(process.versions.node),
    ...byDatabase.database,
    ...judgeQueues(queues),
    ...byDatabase.rest,
    judgeJournal(journal),
    ...(ports ? [judgePorts(ports)] : []),
  ]
}

/** What the database knows, and the processes, which are compared with it. */
async function examineByDatabase(env: Env, place: Place, options: DoctorOptions) {
  const processes = await lookAtProcesses(place)
  const without = (seen: DatabaseSeen) => ({
    database: judgeDatabase(seen),
    rest: judgeProcesses(processes, null, packageJson.version),
  })
  const url = await databaseUrl(env).catch((error: unknown) => failureOf(error))
  if (url instanceof Failure) return without({ kind: 'failed', reason: url.message })
  const database = connect({ url, name: 'pushkeep doctor', connectionsMax: 2 })
  try {
    const seen = await lookAtDatabase(database, addressOf(url))
    // Of tables that are missing or of another version nothing can be read.
    if (seen.kind === 'failed' || seen.schema.missing.length > 0) return without(seen)
    const workers = await workersNow(database, [])
    return {
      database: judgeDatabase(seen),
      rest: [
        ...judgeProcesses(processes, workers, packageJson.version),
        ...(await examineCredentials(database, env, place, options)),
        ...judgeIdentities(await lookAtIdentities(database), place.local?.app_id ?? null),
        ...judgeKeys(await surveyKeys(database, { soonDays }), Date.now()),
        ...judgeWork(await lookAtWork(database)),
      ],
    }
  } catch (error) {
    return without({ kind: 'failed', reason: failureOf(error).message })
  } finally {
    await database.end()
  }
}

async function examineCredentials(
  database: Database,
  env: Env,
  place: Place,
  options: DoctorOptions,
): Promise<Finding[]> {
  const key = await keyOf(env)
  if (key instanceof Failure) {
    return [problem('credentials', key.message, 'give it the value that the workers have')]
  }
  const ca = place.caFile ? await readFile(place.caFile, 'utf8').catch(() => null) : null
  const ask = askProviders({ ...place.endpoints, ...(ca === null ? {} : { ca }) })
  const seen = await lookAtCredentials({ database, key, ask: options.providers ? ask : null })
  return judgeCredentials(seen, Date.now())
}

/** null: there is none here; a failure: there is one, and it is no key. */
async function keyOf(env: Env): Promise<EncryptionKey | Failure | null> {
  try {
    return await encryptionKeyOf(env)
  } catch (error) {
    return env.PUSHKEEP_ENCRYPTION_KEY ? failureOf(error) : null
  }
}
