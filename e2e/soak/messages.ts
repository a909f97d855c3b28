import { setTimeout as wait } from 'node:timers/promises'
import type { Random } from '../random.ts'
import type { Caller } from './caller.ts'
import type { Phones } from './phones.ts'
import type { Watch } from './watch.ts'

interface Accepted {
  id: string
}

/** Every n-th message is followed until it is recorded: asking about all would be a load of its own. */
const followedEvery = 10
const followMs = 120_000
const askEveryMs = 25
const askOfBroadcastEveryMs = 200
/** Who waits long asks more rarely: asking would be the load otherwise. */
const askMoreRarely = 1.3
const askEveryMsMax = 1000

/** What backends send. */
export function createMessages(sender: Caller, phones: Phones, random: Random, watch: Watch) {
  let sent = 0

  async function post(body: unknown, key?: string): Promise<string | null> {
    const headers = key === undefined ? {} : { 'idempotency-key': key }
    const reply = await sender.call('POST', '/v1/messages', body, headers)
    if (reply.status !== 202) {
      watch.unexpected(`POST /v1/messages answered ${reply.status}`)
      return null
    }
    watch.accepted(reply.ms)
    return (reply.body as Accepted).id
  }

  /** How long until nothing of a message is pending, in ms; null where it takes too long. */
  async function follow(id: string, everyMs: number): Promise<number | null> {
    const began = performance.now()
    for (let pauseMs = everyMs; performance.now() - began < followMs; ) {
      const { body } = await sender.call('GET', `/v1/messages/${id}`)
      if ((body as { state: string }).state === 'done') return performance.now() - began
      await wait(pauseMs)
      pauseMs = Math.min(askEveryMsMax, pauseMs * askMoreRarely)
    }
    return null
  }

  return {
    /** To one person, now and then sent twice under one key. */
    async one(): Promise<void> {
      sent += 1
      const isFollowed = sent % followedEvery === 0
      const { person } = phones.pick()
      const body = {
        to: { person_id: person ?? phones.anybody() },
        content: { title: 'Your code', body: String(random.int(100_000, 999_999)) },
      }
      const key = random.chance(0.3) ? `key-${sent}` : undefined
      const isRepeated = key !== undefined && random.chance(0.2)
      const id = await post(body, key)
      if (id === null) return
      watch.message()
      if (isRepeated && (await post(body, key)) !== id)
        watch.unexpected('a repeated key had another id')
      if (!isFollowed) return
      const ms = await follow(id, askEveryMs)
      if (ms !== null) watch.recorded(ms)
    },
    /** To everyone. */
    async broadcast(): Promise<void> {
      const id = await post({ to: { all: true }, content: { title: 'News', body: 'For all' } })
      if (id === null) return
      watch.message()
      const ms = await follow(id, askOfBroadcastEveryMs)
      if (ms !== null) watch.broadcast(ms)
    },
  }
}
