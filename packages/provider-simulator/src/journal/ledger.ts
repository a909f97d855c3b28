import type { JournalMode } from '../options.ts'
import { Accounting, type ReceivedCount } from './accounting.ts'
import { type Arrival, FATE, type Fate, type ProviderName, SOURCE_CODE } from './arrival.ts'
import { Journal } from './journal.ts'
import { Slab } from './slab.ts'
import { type AnswerCount, Tally } from './tally.ts'
import { Waiters } from './waiters.ts'

/** Everything that is remembered of the requests: counts always, entries in `full` mode. */
export class Ledger {
  readonly accounts = { apns: new Accounting(), fcm: new Accounting() }
  /** Null in `count` mode. */
  readonly journal: Journal | null
  readonly #tallies = { apns: new Tally('apns'), fcm: new Tally('fcm') }
  readonly #waiters = new Waiters()
  readonly #scratch = new Slab()
  readonly #now: () => number

  constructor(mode: JournalMode, limit: number, now: () => number) {
    this.journal = mode === 'full' ? new Journal(limit) : null
    this.#now = now
  }

  /** Writes down one request and its answer; status 0 stands for none. */
  record(arrival: Arrival, status: number, reason: string, fate: Fate): void {
    const provider = arrival.source === SOURCE_CODE.fcm ? 'fcm' : 'apns'
    this.#tallies[provider].add(status, reason)
    this.accounts[provider].add(arrival, fate, this.#keep(arrival, status, reason, fate))
    if (fate !== FATE.refused) this.#waiters.check()
  }

  count(provider?: ProviderName): ReceivedCount {
    if (provider !== undefined) return this.accounts[provider].count()
    const [apns, fcm] = [this.accounts.apns.count(), this.accounts.fcm.count()]
    return {
      requests: apns.requests + fcm.requests,
      accepted: apns.accepted + fcm.accepted,
      distinct_tokens: apns.distinct_tokens + fcm.distinct_tokens,
      duplicates: apns.duplicates + fcm.duplicates,
    }
  }

  /** Waits until so many requests were accepted; false when the time was up before. */
  waitForAccepted(
    accepted: number,
    provider: ProviderName | undefined,
    timeoutMs: number,
  ): Promise<boolean> {
    const { apns, fcm } = this.accounts
    const counted = provider === undefined ? [apns, fcm] : [this.accounts[provider]]
    const isMet = () => counted.reduce((sum, account) => sum + account.accepted, 0) >= accepted
    return this.#waiters.wait(isMet, timeoutMs)
  }

  answers(): AnswerCount[] {
    return [...this.#tallies.apns.list(), ...this.#tallies.fcm.list()]
  }

  /** Forgets the requests, not the answer counts. */
  forget(): void {
    this.accounts.apns.clear()
    this.accounts.fcm.clear()
    this.journal?.clear()
  }

  clearAnswers(): void {
    this.#tallies.apns.clear()
    this.#tallies.fcm.clear()
  }

  /** Lets every waiter go. */
  close(): void {
    this.#waiters.giveUp()
  }

  #keep(arrival: Arrival, status: number, reason: string, fate: Fate): Slab {
    if (this.journal !== null) {
      return this.journal.append(arrival, status, reason, fate, this.#now())
    }
    this.#scratch.rewind()
    this.#scratch.write(arrival, false)
    return this.#scratch
  }
}
