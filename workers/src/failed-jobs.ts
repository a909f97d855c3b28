import { describeError } from '@pushkeep/runtime'

/**
 * What a queue keeps of a failure, and its dashboard shows: where it was, and its words without what
 * looks like a token or repeats the data.
 */
export function presentable(error: unknown): Error {
  const { type, code, message, stack } = describeError(error)
  const words = [code, message].filter((part) => typeof part === 'string').join(': ')
  const shown = new Error(words || 'failed')
  shown.name = String(type)
  shown.stack = [`${shown.name}: ${shown.message}`, stack].filter(Boolean).join('\n')
  return shown
}

/** The work of a job, whose failure is kept as `presentable` leaves it. */
export function presentably(work: (ref: string) => Promise<void>): (ref: string) => Promise<void> {
  return async (ref) => {
    try {
      await work(ref)
    } catch (error) {
      throw presentable(error)
    }
  }
}
