import { randomBytes } from 'node:crypto'
import { type Lane, NewMessage } from '@pushkeep/domain'
import { type Behaviour, type FaultsPatch, startSimulator } from '@pushkeep/provider-simulator'
import { prepareQueues } from '@pushkeep/queues'
import { createLogger, createMetrics } from '@pushkeep/runtime'
import {
  acceptMessage,
  createApp,
  createWorkspace,
  deliveriesOfMessage,
  findMessage,
  putCredentials,
  tokenHash,
} from '@pushkeep/store'
import { createTestDatabase } from '@pushkeep/testkit'
import { expect } from 'vitest'
import { z } from 'zod'
import { startWorkers, type WorkersOptions } from '../src/workers.ts'

export const soon = { timeout: 20_000, interval: 10 }

/** A device that is there, and its owner. */
export interface Phone {
  deviceNo: string
  token: string
  person: string
}

const ReceivedCount = z.object({ requests: z.int(), accepted: z.int() })
type ReceivedCount = z.infer<typeof ReceivedCount>

/** A database, the simulator, a workspace, and workers as a test needs them: all real, in one process. */
export async function openWorkplace() {
  const fixture = await createTestDatabase()
  const { database } = fixture
  await prepareQueues({ kind: 'postgres', url: fixture.url })
  const databaseUrl = await fixture.urlAs('workers')
  const simulator = await startSimulator()
  const encryptionKey = randomBytes(32)
  const { workspaceNo } = await createWorkspace(database, 'test')
  const running = new Set<{ stop(): Promise<void> }>()

  async function stopAll() {
    await Promise.all([...running].map((one) => one.stop()))
  }

  async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${simulator.urls.simulator}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`)
    return response.status === 204 ? null : response.json()
  }

  const counted = async (query: string) =>
    ReceivedCount.parse(await ask('GET', `/received/count${query}`))

  return {
    database,
    workspaceNo,
    encryptionKey,
    credentials: simulator.credentials,
    /** Starts the workers of one process, with whatever differs from the usual. */
    start(over: Partial<WorkersOptions> = {}) {
      const workers = startWorkers({
        database: fixture.as('workers'),
        databaseUrl,
        backend: { kind: 'postgres', url: databaseUrl, isPrepared: true },
        encryptionKey,
        endpoints: { ...simulator.urls, ca: simulator.caPem },
        journalDirectory: null,
        retention: { messageDays: 90, timelineDays: 400 },
        concurrency: { transactional: 50, bulk: 4 },
        doubtRule: { people: 20, seconds: 600 },
        renderMs: 25,
        strandedMax: 10,
        eventDays: 90,
        logger: createLogger({ name: 'test', level: 'silent' }),
        metrics: createMetrics({ name: 'workers', version: '1' }),
        telemetry: null,
        now: Date.now,
        random: Math.random,
        ...over,
      })
      const once = { stop: () => (running.delete(once) ? workers.stop() : Promise.resolve()) }
      running.add(once)
      return once
    },
    /** An app with the simulator's credentials of both providers; its number. */
    async addApp(name: string): Promise<number> {
      const { appNo } = await createApp(database, workspaceNo, name)
      const { apns, fcm } = simulator.credentials
      const { teamId, keyId, topic, privateKeyPem } = apns
      const both = [
        { provider: 'apns' as const, settings: { teamId, keyId, topic }, secret: privateKeyPem },
        { provider: 'fcm' as const, settings: {}, secret: JSON.stringify(fcm.serviceAccount) },
      ]
      for (const one of both) await putCredentials(database, encryptionKey, { appNo, ...one })
      return appNo
    },
    /** So many phones of an app, each of a person of its own. */
    async addPhones(appNo: number, count: number, platform: 'ios' | 'android' = 'ios') {
      const phones = Array.from({ length: count }, () => ({
        token: randomBytes(32).toString('hex'),
        person: randomBytes(8).toString('hex'),
      }))
      const { rows } = await database.query<Phone>(
        `with given as (
           select * from unnest($3::text[], $4::text[], $5::uuid[]) as g(person, token, hash)
         ), owner as (
           insert into people (workspace_no, id) select $1, person from given returning person_no, id
         ), device as (
           insert into devices (app_no, token_hash, token, platform, provider, person_no, last_used,
                                registered_at, ordered_at)
           select $2, hash, token, $6, $7, person_no, 0, now(), now()
           from given join owner on owner.id = given.person
           returning device_no, token
         )
         select device_no::text as "deviceNo", token, person from device join given using (token)`,
        [
          workspaceNo,
          appNo,
          phones.map(({ person }) => person),
          phones.map(({ token }) => token),
          phones.map(({ token }) => tokenHash(token)),
          platform,
          platform === 'ios' ? 'apns' : 'fcm',
        ],
      )
      return rows
    },
    /** Accepts a message; its id. */
    async accept(
      message: { to: NewMessage['to'] } & Partial<
        Pick<NewMessage, 'on_unknown' | 'ttl_seconds' | 'content' | 'apns' | 'fcm'>
      >,
      lane: Lane = 'transactional',
    ): Promise<string> {
      const { send_at: _, ...parsed } = NewMessage.parse({
        content: { title: 'Hello' },
        ...message,
      })
      const accepted = await acceptMessage(database, {
        workspaceNo,
        appNo: null,
        message: parsed,
        lane,
        planNow: message.to.all !== true,
        idempotency: null,
      })
      if (accepted.kind !== 'accepted') throw new Error(accepted.kind)
      return accepted.id
    },
    async report(id: string) {
      const found = await findMessage(database, { workspaceNo, appNo: null, id })
      if (!found) throw new Error('no such message')
      return found
    },
    /** A message's deliveries, as far as there are any. */
    async deliveries(id: string) {
      const { rows } = await database.query<{ app_no: number }>('select app_no from apps')
      const { deliveries } = await deliveriesOfMessage(database, {
        appNos: rows.map((row) => row.app_no),
        messageNo: (await this.report(id)).messageNo,
        status: null,
        after: null,
        limit: 1000,
      })
      return deliveries
    },
    /** Waits until nothing of a message is open; its counts. */
    async done(id: string) {
      await expect.poll(async () => (await this.report(id)).isOpen, soon).toBe(false)
      return (await this.report(id)).counts
    },
    behave: (phones: readonly Phone[], behaviour: Behaviour) =>
      ask(
        'PUT',
        '/tokens',
        phones.map(({ token }) => ({ token, behaviour })),
      ),
    fault: (faults: FaultsPatch) => ask('PUT', '/faults', faults),
    /** How many pushes the providers were asked to take, and took: of these phones, or in all. */
    async received(phones?: readonly Phone[]): Promise<ReceivedCount> {
      const counts = await Promise.all(
        phones?.map(({ token }) => counted(`?token=${token}`)) ?? [counted('')],
      )
      const sum = (of: keyof ReceivedCount) => counts.reduce((all, one) => all + one[of], 0)
      return { requests: sum('requests'), accepted: sum('accepted') }
    },
    /** Stops whatever was started and still runs. */
    stopAll,
    async [Symbol.asyncDispose]() {
      await stopAll()
      await simulator.close()
      await fixture[Symbol.asyncDispose]()
    },
  }
}

export type Workplace = Awaited<ReturnType<typeof openWorkplace>>
