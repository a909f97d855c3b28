import { backoffMs } from './backoff.ts'
import type { Engine } from './engine.ts'
import type { OnError } from './errors.ts'
import { type Item, namedBy, nameOf } from './items.ts'
import type { Queued } from './overflow.ts'
import {
  batchBytesMax,
  batchItemsMax,
  type Outcome,
  type Refusal,
  type Transport,
} from './transport.ts'
import type { Vouchers } from './vouchers.ts'

export interface SenderOptions {
  engine: Engine
  transport: Transport
  vouchers: Vouchers
  queue: () => readonly Queued[]
  /** Takes items out of the queue, on disk too. */
  remove: (items: ReadonlySet<Item>) => Promise<void>
  onError: OnError
}

export interface Sender {
  /** Sends within `ms`, or later where the server asked for that. */
  schedule(ms: number): void
  /** Sends what waits, now; resolves when nothing more can be sent at present. */
  flush(): Promise<void>
  isBeingSent(item: Item): boolean
  /** Ends timers; resolves when what is being sent has its answer, or none. */
  close(): Promise<void>
}

/** Most people in one batch: the server takes so many identity tokens. */
const peopleMax = 10

type Next = 'go-on' | 'wait'

/**
 * Sends the queue in batches, one at a time and in order. What the server will never take is dropped
 * and told; everything else waits and is tried again.
 */
export function createSender(options: SenderOptions): Sender {
  const { engine, transport, vouchers, queue, remove, onError } = options
  let running: Promise<void> | null = null
  let timer: unknown = null
  let timerAt = Number.POSITIVE_INFINITY
  /** Not before: the server said so. */
  let notBefore = 0
  let failures = 0
  let tokenFailures = 0
  let itemsMax = batchItemsMax
  let sending: ReadonlySet<Item> = new Set()
  let isClosed = false
  let isAskedAgain = false
  let isUnauthorizedTold = false

  function schedule(ms: number): void {
    if (isClosed) return
    const at = Math.max(engine.now() + ms, notBefore)
    if (timer !== null && timerAt <= at) return
    if (timer !== null) engine.clearTimer(timer)
    timerAt = at
    timer = engine.setTimer(
      () => {
        timer = null
        void flush()
      },
      Math.max(0, at - engine.now()),
    )
  }

  function flush(): Promise<void> {
    if (isClosed) return Promise.resolve()
    if (engine.now() < notBefore) {
      schedule(0)
      return Promise.resolve()
    }
    isAskedAgain = true
    running ??= runWhileAsked().finally(() => {
      running = null
    })
    return running
  }

  async function runWhileAsked(): Promise<void> {
    try {
      while (isAskedAgain && engine.now() >= notBefore) {
        isAskedAgain = false
        await run()
      }
    } catch (cause) {
      onError({ kind: 'internal', message: 'sending failed in a way that it never should', cause })
      schedule(backoffMs(++failures, engine.random))
    }
  }

  async function run(): Promise<void> {
    let mayRenew = true
    while (!isClosed) {
      // Once a run: a server that refuses every token would keep it going for ever.
      if (mayRenew && (await vouchers.renew())) mayRenew = false
      const batch = nextBatch()
      if (batch.length === 0) break
      const tokens = await vouchers.tokensFor(peopleOf(batch))
      sending = new Set(batch)
      const outcome = await transport.sendBatch(batch, tokens)
      const next = await settle(batch, outcome)
      sending = new Set()
      if (next === 'wait') return
    }
    if (vouchers.mayRenew()) schedule(backoffMs(++tokenFailures, engine.random))
  }

  function isHeld(item: Item): boolean {
    const personId = namedBy(item)
    return personId !== null && vouchers.isHeld(personId)
  }

  function nextBatch(): Item[] {
    const batch: Item[] = []
    const people = new Set<string>()
    let bytes = 0
    for (const { item, size } of queue()) {
      if (isHeld(item)) continue
      const personId = namedBy(item)
      if (personId !== null) people.add(personId)
      bytes += size
      const isTooMuch = bytes > batchBytesMax || people.size > peopleMax
      if (batch.length >= itemsMax || (batch.length > 0 && isTooMuch)) break
      batch.push(item)
    }
    return batch
  }

  async function settle(batch: readonly Item[], outcome: Outcome): Promise<Next> {
    switch (outcome.kind) {
      case 'taken':
        failures = 0
        isUnauthorizedTold = false
        itemsMax = Math.min(itemsMax * 2, batchItemsMax)
        if (outcome.refusals.length === 0) tokenFailures = 0
        await remove(settled(batch, outcome.refusals))
        return 'go-on'
      case 'refused':
      case 'too-large':
        return divide(batch, outcome)
      case 'unauthorized':
        if (!isUnauthorizedTold) {
          const message = `the server does not take the key (${outcome.status}): calls wait`
          onError({ kind: 'unauthorized', message, status: outcome.status })
        }
        isUnauthorizedTold = true
        failures += 1
        schedule(backoffMs(failures, engine.random, true))
        return 'wait'
      case 'later': {
        failures += 1
        const own = backoffMs(failures, engine.random)
        if (outcome.afterMs !== null) {
          // Spread: it said the same to everybody.
          notBefore = engine.now() + outcome.afterMs + engine.random() * 1000
        }
        schedule(own)
        return 'wait'
      }
    }
  }

  /** What is done with, of a batch that was taken: all but what waits for an identity token. */
  function settled(batch: readonly Item[], refusals: readonly Refusal[]): Set<Item> {
    const done = new Set(batch)
    for (const refusal of refusals) {
      const personId = namedBy(refusal.item)
      if (personId !== null && refusal.code.startsWith('identity_token')) {
        done.delete(refusal.item)
        if (!vouchers.isHeld(personId)) {
          vouchers.hold(personId)
          onError({ kind: 'identity', message: refusal.message, code: refusal.code, personId })
        }
      } else {
        tellRefused(refusal.item, refusal)
      }
    }
    return done
  }

  /** Finds the item that cannot be taken by sending fewer, until it is alone. */
  async function divide(
    batch: readonly Item[],
    outcome: Extract<Outcome, { kind: 'refused' | 'too-large' }>,
  ): Promise<Next> {
    const [only] = batch
    if (batch.length > 1 || !only) {
      itemsMax = Math.max(1, batch.length >> 1)
      return 'go-on'
    }
    const { code, message } =
      outcome.kind === 'refused' ? outcome : { code: 'too_large', message: 'the call is too large' }
    tellRefused(only, { code, message, fields: [] })
    await remove(new Set([only]))
    return 'go-on'
  }

  function tellRefused(item: Item, refusal: Omit<Refusal, 'item'>): void {
    const { code, message, fields } = refusal
    onError({ kind: 'refused', message, code, call: nameOf(item), fields })
  }

  return {
    schedule,
    flush,
    isBeingSent: (item) => sending.has(item),
    async close() {
      isClosed = true
      if (timer !== null) engine.clearTimer(timer)
      await running
    },
  }
}

function peopleOf(batch: readonly Item[]): Set<string> {
  return new Set(batch.flatMap((item) => namedBy(item) ?? []))
}
