import type { Case } from './case.ts'
import type { Reply } from './client.ts'
import { type Connections, openConnections } from './connections.ts'
import { nameOf, type Operation } from './documents.ts'
import { describeCase, type Failure, shrink } from './failure.ts'
import { faultsOf, type Judge, slowMs } from './judge.ts'
import { makeCase } from './make-case.ts'
import { runRawCases } from './raw-run.ts'
import { changedTables, readStored, settle } from './stored.ts'
import { createTally, type Tally } from './tally.ts'
import type { Target } from './target.ts'

export interface RoundsOptions {
  target: Target
  seed: string
  operations: readonly Operation[]
  judge: Judge
}

/** What is wrong with the answer to a case, or with what it left. */
interface Found {
  one: Case
  faults: string[]
}

const failuresMax = 30
const settleMs = 30_000

/** Rounds of requests, and all that they found. */
export class Rounds {
  readonly tally: Tally
  readonly failures: Failure[] = []
  /** What is wrong and cannot be laid to one request. */
  readonly faults: string[] = []
  slowestMs = 0
  readonly #options: RoundsOptions
  readonly #connections: Connections
  readonly #seen = new Set<string>()

  constructor(options: RoundsOptions) {
    this.#options = options
    this.#connections = openConnections(options.target.origins)
    this.tally = createTally(options.operations.map(nameOf))
  }

  /**
   * Bad requests first, after which nothing may be stored; then those that may store something, and
   * the workers have to finish what these began.
   */
  async run(numbers: readonly number[], rawNumbers: readonly number[]): Promise<void> {
    const { target, seed, operations } = this.#options
    const { database } = target
    const cases = numbers.map((number) => makeCase(seed, number, operations, target.known))
    const bad = cases.filter(({ expected }) => expected.kind === 'refused')
    const before = await readStored(database)
    const found = await this.#sendAll(bad)
    const raw = await runRawCases(target, operations, seed, rawNumbers)
    const changed = changedTables(before, await readStored(database))
    if (changed.length > 0) found.push(...(await this.#findCulprits(bad, changed)))
    found.push(...(await this.#sendAll(cases.filter((one) => !bad.includes(one)))))
    for (const { service, status } of raw.answers) this.tally.add(`${service} raw sockets`, status)
    for (const failure of raw.failures) this.#add(failure)
    // Only now: what is left of a bad request while it is made smaller may be a good one.
    for (const one of found) await this.#report(one)
    const open = await settle(database, settleMs)
    if (open) this.faults.push(`the workers did not finish: ${open} left`)
  }

  close(): void {
    this.#connections.close()
  }

  async #sendAll(cases: readonly Case[]): Promise<Found[]> {
    const replies: { one: Case; reply: Reply }[] = []
    await this.#connections.sendAll(cases, (one, reply) => {
      const status = reply.kind === 'answer' ? reply.answer.status : reply.kind
      this.tally.add(nameOf(one.operation), status, one.expected.kind === 'taken')
      this.slowestMs = Math.max(this.slowestMs, reply.ms)
      replies.push({ one, reply })
    })
    const found: Found[] = []
    for (const { one, reply } of replies) {
      // A machine that was busy for a moment is no fault: what was slow has to be slow again.
      const judged = reply.ms > slowMs ? await this.#connections.sendAlone(one) : reply
      const faults = faultsOf(one, judged, this.#options.judge)
      if (faults.length > 0) found.push({ one, faults })
    }
    return found
  }

  /** Each request of a round that stored something alone, to find those that do it again. */
  async #findCulprits(cases: readonly Case[], tables: string[]): Promise<Found[]> {
    const { database } = this.#options.target
    const found: Found[] = []
    let before = await readStored(database)
    for (const one of cases) {
      await this.#connections.sendAlone(one)
      const after = await readStored(database)
      const changed = changedTables(before, after)
      before = after
      if (changed.length > 0) found.push({ one, faults: [`changed ${changed.join(', ')}`] })
    }
    this.faults.push(`bad requests changed ${tables.join(', ')}`)
    return found
  }

  /** Adds a failure unless there is one like it, with the smallest request that shows it. */
  async #report({ one, faults }: Found): Promise<void> {
    const { judge, target } = this.#options
    const operation = nameOf(one.operation)
    if (this.#isKnown(`${operation} ${one.what} ${faults}`)) return
    const draft = await shrink(one, async (smaller) => {
      const reply = await this.#connections.sendAlone(smaller)
      return faultsOf(smaller, reply, judge).join() === faults.join()
    })
    const reproduction = describeCase(draft, target.secrets)
    this.failures.push({ number: one.number, operation, what: one.what, faults, reproduction })
  }

  #add(failure: Failure): void {
    const { operation, what, faults } = failure
    if (!this.#isKnown(`${operation} ${what} ${faults}`)) this.failures.push(failure)
  }

  #isKnown(key: string): boolean {
    if (this.#seen.has(key) || this.failures.length >= failuresMax) return true
    this.#seen.add(key)
    return false
  }
}
