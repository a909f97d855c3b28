import type { Tally } from './checkpoint.ts'

export interface ProgressOptions {
  /** Where it is shown: a terminal gets a line that changes, anything else a line now and then. */
  stream: NodeJS.WriteStream
  /** Bytes of the file; null: nobody knows. */
  total: number | null
  /** Where it begins. */
  bytes: number
  now: () => number
}

const barWidth = 24
const terminalEveryMs = 100
const logEveryMs = 10_000

/** Shows how far an import is, how fast, and when it will be done. */
export function createProgress(options: ProgressOptions) {
  const { stream, total, now } = options
  const began = now()
  let shownAt = Number.NEGATIVE_INFINITY

  function show(bytes: number, rows: number, tally: Tally, isLast = false) {
    const everyMs = stream.isTTY ? terminalEveryMs : logEveryMs
    if (!isLast && now() - shownAt < everyMs) return
    shownAt = now()
    const seconds = Math.max(0.001, (now() - began) / 1000)
    const text = [
      ...(total === null ? [] : [bar(total === 0 ? 1 : bytes / total)]),
      `${rows.toLocaleString('en')} lines`,
      `${Math.round(rows / seconds).toLocaleString('en')}/s`,
      `${tally.invalid.toLocaleString('en')} invalid`,
      ...(isLast || total === null ? [] : [remaining(bytes, seconds)]),
    ].join('  ')
    stream.write(stream.isTTY ? `\r${text}\u001b[K${isLast ? '\n' : ''}` : `${text}\n`)
  }

  function remaining(bytes: number, seconds: number): string {
    const done = bytes - options.bytes
    if (done <= 0 || total === null) return ''
    const left = Math.ceil(((total - bytes) / done) * seconds)
    return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')} left`
  }

  return { show }
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, share) * barWidth)
  const percent = Math.floor(Math.min(1, share) * 100)
  return `[${'#'.repeat(filled)}${' '.repeat(barWidth - filled)}] ${String(percent).padStart(3)} %`
}
