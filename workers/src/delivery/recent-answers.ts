import { type AnswerCounts, serviceRule } from '@pushkeep/domain'
import { lowerMedian } from './breaker.ts'

/** Answers that are kept: more come within milliseconds where a provider is busy. */
const keptMax = 256

/** What the refusals among them ask for, in ms. */
export interface JudgedAnswers extends AnswerCounts {
  askedMs: number
}

interface Entry {
  at: number
  messageId: string
  deviceNo: number
  isRefused: boolean
  askedMs: number
}

/** The last answers of a provider, a bounded number; those older than ten seconds do not count. */
export function createRecentAnswers(now: () => number) {
  // Written in turn and overwritten: nothing is allocated for an answer.
  const entries: Entry[] = Array.from({ length: keptMax }, () => ({
    at: Number.NEGATIVE_INFINITY,
    messageId: '',
    deviceNo: 0,
    isRefused: false,
    askedMs: 0,
  }))
  let next = 0

  const recent = () => {
    const since = now() - serviceRule.windowMs
    return entries.filter(({ at }) => at >= since)
  }

  function forget(isForgotten: (entry: Entry) => boolean): void {
    for (const entry of entries) if (isForgotten(entry)) entry.at = Number.NEGATIVE_INFINITY
  }

  return {
    add(messageId: string, deviceNo: number, isRefused: boolean, askedMs: number): void {
      const entry = entries[next]
      if (!entry) return
      next = (next + 1) % keptMax
      entry.at = now()
      entry.messageId = messageId
      entry.deviceNo = deviceNo
      entry.isRefused = isRefused
      entry.askedMs = askedMs
    },
    /** Whether the provider served anything lately. */
    hasServed: () => recent().some(({ isRefused }) => !isRefused),
    /** The message that was refused most often lately; null where none was. */
    mostRefused(): string | null {
      const refusals = new Map<string, number>()
      for (const { isRefused, messageId } of recent()) {
        if (isRefused) refusals.set(messageId, (refusals.get(messageId) ?? 0) + 1)
      }
      const [most] = [...refusals].toSorted(([, one], [, other]) => other - one)
      return most?.[0] ?? null
    },
    /** Counts the answers to one message, or to all. */
    counts(messageId: string | null): JudgedAnswers {
      const of = recent().filter((entry) => messageId === null || entry.messageId === messageId)
      const refused = of.filter(({ isRefused }) => isRefused)
      return {
        answers: of.length,
        refusedAnswers: refused.length,
        tokens: new Set(of.map(({ deviceNo }) => deviceNo)).size,
        refusedTokens: new Set(refused.map(({ deviceNo }) => deviceNo)).size,
        askedMs: lowerMedian(refused.map(({ askedMs }) => askedMs)),
      }
    },
    forgetMessage: (messageId: string) => forget((entry) => entry.messageId === messageId),
    forgetAll: () => forget(() => true),
  }
}
