import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noLimits, startLocal } from '@pushkeep/local-runner'
import { connect, type Database } from '@pushkeep/store'
import { createRandom } from '../random.ts'
import { type Known, newPhone, type Phone } from './known.ts'
import { settle } from './stored.ts'

/** An installation of its own to try things on. */
export interface Target extends AsyncDisposable {
  origins: { registry: string; sender: string }
  known: Known
  database: Database
  /** Text that no answer and no log may show. */
  secrets: string[]
  /** What is wrong with what the processes logged, in words. */
  logFaults(): string[]
}

export interface TargetOptions {
  seed: string
  /** A database that is there and empty; left out: an embedded server. */
  databaseUrl?: string | undefined
}

const phonesCount = 40
const messagesCount = 3

/** Starts both services, one process of workers and the simulator, with a few people in them. */
export async function openTarget({ seed, databaseUrl }: TargetOptions): Promise<Target> {
  const directory = await mkdtemp(join(tmpdir(), 'pushkeep-fuzz-'))
  const lines: string[] = []
  const running = await startLocal({
    directory,
    databaseUrl,
    postgresSettings: ['fsync=off'],
    // Also the line of each request: none of them may show a token.
    logLevel: 'info',
    restart: false,
    // All of its calls come from one address, with one key.
    env: { registry: noLimits, sender: noLimits },
    onLine: (name, line) => void lines.push(`${name} ${line}`),
    onNews: (news) => void lines.push(`"level":"fatal" ${news}`),
  })
  const { local } = running
  const database = connect({ url: local.database_url, name: 'fuzz', connectionsMax: 2 })
  const close = async () => {
    await database.end()
    await running.stop()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const random = createRandom(seed, 'phones')
    const phones = Array.from({ length: phonesCount }, (_, number) => newPhone(random, number))
    const origins = { registry: local.registry_url, sender: local.sender_url }
    const messages = await populate(origins, local.secret_key, phones)
    const known: Known = {
      appId: local.app_id,
      secretKey: local.secret_key,
      publicKey: local.public_key,
      phones,
      messages,
    }
    const open = await settle(database, 30_000)
    if (open) throw new Error(`the first messages were not sent: ${open} left`)
    // One that can be cancelled: again, and as often as one likes.
    await database.query('update messages set cancelled_at = now() where id = $1', [messages[0]])
    // And one that was scheduled: it can be released, as often as one likes.
    await database.query(
      'update messages set send_at = created_at, begun_at = created_at where id = $1',
      [messages[1]],
    )
    const { password } = new URL(local.database_url)
    const tokens = phones.map(({ token }) => token)
    const secrets = [
      local.secret_key,
      local.public_key,
      ...tokens,
      ...(password.length > 7 ? [password] : []),
    ]
    return {
      origins,
      known,
      database,
      secrets,
      logFaults: () => logFaults(lines, secrets),
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function populate(
  origins: Target['origins'],
  key: string,
  phones: readonly Phone[],
): Promise<string[]> {
  const call = async (method: string, url: string, body: unknown): Promise<{ id: string }> => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const response = await fetch(url, { method, headers, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`the first requests were answered ${response.status}`)
    return (await response.json()) as { id: string }
  }
  for (const { person, token, platform } of phones) {
    const url = `${origins.registry}/v1/people/${person}/devices`
    await call('PUT', url, { device: { id: token, platform } })
  }
  const messages: string[] = []
  for (const { person } of phones.slice(0, messagesCount)) {
    const message = { to: { person_id: person }, content: { title: 'Hello' } }
    messages.push((await call('POST', `${origins.sender}/v1/messages`, message)).id)
  }
  return messages
}

function logFaults(lines: readonly string[], secrets: readonly string[]): string[] {
  const shown = lines.filter((line) => secrets.some((secret) => line.includes(secret)))
  const errors = lines.filter((line) => /"level":"(error|fatal)"/.test(line))
  return [
    ...(shown.length > 0 ? [`${shown.length} log lines show a token or key`] : []),
    ...errors
      .slice(0, 5)
      .map((line) => `a log line of an error: ${withoutSecrets(line, secrets).slice(0, 600)}`),
  ]
}

export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .reduce((rest, secret) => rest.replaceAll(secret, '[secret]'), text)
}
