import { connect } from 'node:net'
import { type Answer, takeAnswer } from './answer.ts'

/** What came over a connection of its own until it ended. */
export interface Conversation {
  answers: Answer[]
  /** How it ended: `open` where the server keeps it. */
  end: 'closed' | 'open'
  isHttp: boolean
  ms: number
}

/**
 * Sends pieces over one connection, and reads until the server closes it or falls silent for
 * `quietMs` after an answer; at most `timeoutMs`.
 */
export function converse(
  origin: string,
  pieces: readonly Buffer[],
  { timeoutMs, quietMs, halfClose }: { timeoutMs: number; quietMs: number; halfClose: boolean },
): Promise<Conversation> {
  const began = performance.now()
  return new Promise((resolve) => {
    const { port } = new URL(origin)
    const socket = connect({
      host: '127.0.0.1',
      port: Number(port),
      noDelay: true,
      allowHalfOpen: true,
    })
    let received: Buffer = Buffer.alloc(0)
    const answers: Answer[] = []
    let isHttp = true
    let quiet: NodeJS.Timeout | undefined
    const finish = (end: Conversation['end']) => {
      clearTimeout(timer)
      clearTimeout(quiet)
      socket.destroy()
      resolve({ answers, end, isHttp, ms: performance.now() - began })
    }
    const timer = setTimeout(() => finish('open'), timeoutMs)
    socket.on('error', () => finish('closed'))
    socket.on('close', () => finish('closed'))
    socket.on('end', () => finish('closed'))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      try {
        for (let taken = takeAnswer(received); taken; taken = takeAnswer(received)) {
          answers.push(taken.answer)
          received = taken.rest
        }
      } catch {
        isHttp = false
      }
      clearTimeout(quiet)
      quiet = setTimeout(() => finish('open'), quietMs)
    })
    socket.on('connect', async () => {
      for (const piece of pieces) {
        if (socket.destroyed) return
        socket.write(piece)
        await new Promise((done) => setTimeout(done, 5))
      }
      if (halfClose && !socket.destroyed) socket.end()
    })
  })
}
