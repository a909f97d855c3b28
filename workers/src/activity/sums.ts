import {
  type AnswerKind,
  latencyBoundsMs,
  latencyClass,
  noAnswers,
  type Outcome,
  type Provider,
  type SettledStatus,
} from '@pushkeep/domain'
import type { MessageSums, ProviderSums } from '@pushkeep/store'

const minuteMs = 60_000
const progressMs = 10_000

/** Reasons of one message that are told apart between two reports; a provider's list is shorter. */
const reasonsMax = 50
const otherReasons = 'other'

/** Whose lane it is. */
export interface LaneName {
  appNo: number
  provider: Provider
}

/** What this process saw since it last told. */
export interface Taken {
  providers: ProviderSums[]
  messages: MessageSums[]
}

/** Entries of one period after the other: the present one is found by comparing two numbers. */
function createPeriods<Key, Entry>(lengthMs: number) {
  let periods = new Map<number, Map<Key, Entry>>()
  let start = Number.NaN
  let present = new Map<Key, Entry>()
  return {
    /** The entries of the period that `at` is in, and when that began. */
    at(at: number): { start: number; entries: Map<Key, Entry> } {
      if (at >= start && at < start + lengthMs) return { start, entries: present }
      start = Math.floor(at / lengthMs) * lengthMs
      present = periods.get(start) ?? new Map()
      periods.set(start, present)
      return { start, entries: present }
    },
    take(): Entry[] {
      const all = [...periods.values()].flatMap((entries) => [...entries.values()])
      periods = new Map()
      start = Number.NaN
      return all
    },
  }
}

/**
 * Sums of what this process sees, until they are taken: by app, provider and minute, and for
 * broadcasts by message. Adding is a look-up and an increment; nothing here waits.
 */
export function createSums(now: () => number) {
  const providers = createPeriods<number, ProviderSums>(minuteMs)
  const messages = createPeriods<string, MessageSums>(progressMs)

  function providerAt({ appNo, provider }: LaneName, at: number): ProviderSums {
    const { start, entries } = providers.at(at)
    const key = provider === 'apns' ? appNo : -appNo
    const known = entries.get(key)
    if (known) return known
    const fresh = { appNo, provider, minute: start, ...noneAnswered(), settled: noneSettled() }
    entries.set(key, fresh)
    return fresh
  }

  function messageAt(messageNo: string, at: number): MessageSums {
    const { start, entries } = messages.at(at)
    const known = entries.get(messageNo)
    if (known) return known
    const fresh: MessageSums = { messageNo, at: start, settled: noneSettled(), reasons: [] }
    entries.set(messageNo, fresh)
    return fresh
  }

  return {
    /** A provider's answer, or that there was none, after `ms`. */
    answered(lane: LaneName, outcome: Outcome, ms: number): void {
      // It never left: nobody answered.
      if (outcome.kind === 'unsent') return
      const entry = providerAt(lane, now())
      entry.calls[outcome.kind] += 1
      entry.trouble = troubleOf(outcome) ?? entry.trouble
      const index = latencyClass(ms)
      entry.latency[index] = (entry.latency[index] ?? 0) + 1
    },

    /** A delivery that ended. `broadcast`: its message's number, where it is one. */
    settled(
      lane: LaneName,
      broadcast: string | null,
      status: SettledStatus,
      reason: string | null,
    ): void {
      providerAt(lane, now()).settled[status] += 1
      if (broadcast === null) return
      const entry = messageAt(broadcast, now())
      entry.settled[status] += 1
      if (reason !== null) addReason(entry, status, reason, 1)
    },

    /** Everything since it was last asked. */
    take(): Taken {
      return { providers: providers.take(), messages: messages.take() }
    },

    /** What was taken and could not be told: it is told with the next. */
    putBack(taken: Taken): void {
      for (const sums of taken.providers) {
        const entry = providerAt(sums, sums.minute)
        addAll(entry.settled, sums.settled)
        addAll(entry.calls, sums.calls)
        entry.trouble ??= sums.trouble
        for (const [index, count] of sums.latency.entries()) {
          entry.latency[index] = (entry.latency[index] ?? 0) + count
        }
      }
      for (const sums of taken.messages) {
        const entry = messageAt(sums.messageNo, sums.at)
        addAll(entry.settled, sums.settled)
        for (const { status, reason, deliveries } of sums.reasons) {
          addReason(entry, status, reason, deliveries)
        }
      }
    },
  }
}

export type Sums = ReturnType<typeof createSums>

function noneSettled(): Record<SettledStatus, number> {
  return { sent: 0, bounced: 0, suppressed: 0, failed: 0, expired: 0 }
}

/** Why a provider did not serve; null where it did, whatever it said of token or message. */
function troubleOf(outcome: Extract<Outcome, { kind: AnswerKind }>): string | null {
  switch (outcome.kind) {
    case 'misconfigured':
    case 'ambiguous':
    case 'throttled':
    case 'unavailable':
      return outcome.reason
    case 'accepted':
    case 'token-dead':
    case 'message-refused':
      return null
  }
}

function noneAnswered(): Pick<ProviderSums, 'calls' | 'latency' | 'trouble'> {
  return {
    calls: noAnswers(),
    latency: [...latencyBoundsMs.map(() => 0), 0],
    trouble: null,
  }
}

function addAll<Key extends string>(to: Record<Key, number>, more: Record<Key, number>): void {
  for (const key of Object.keys(more) as Key[]) to[key] += more[key]
}

// A list, not a map: a message's failures have a handful of reasons.
function addReason(
  { reasons }: MessageSums,
  status: SettledStatus,
  reason: string,
  deliveries: number,
): void {
  const same = (name: string) => reasons.find((r) => r.reason === name && r.status === status)
  const known = same(reason) ?? (reasons.length < reasonsMax ? undefined : same(otherReasons))
  if (known) known.deliveries += deliveries
  else {
    const name = reasons.length < reasonsMax ? reason : otherReasons
    reasons.push({ status, reason: name, deliveries })
  }
}
