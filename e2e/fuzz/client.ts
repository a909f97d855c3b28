import { connect, type Socket } from 'node:net'
import { type Answer, takeAnswer } from './answer.ts'

/** What became of bytes that were sent. */
export type Reply =
  | { kind: 'answer'; answer: Answer; ms: number }
  /** The server closed the connection and said nothing. */
  | { kind: 'closed'; ms: number }
  /** Nothing came in time. */
  | { kind: 'silent'; ms: number }
  /** Something came that is no HTTP, or more answers than there were requests. */
  | { kind: 'nonsense'; ms: number }

export interface Client {
  /** Sends one request and waits for its answer, on a connection that is kept. */
  ask(request: Buffer): Promise<Reply>
  close(): void
}

/**
 * One kept connection to 127.0.0.1. Plain sockets: Node's own client refuses to send most of what a
 * fuzzer has to.
 */
export function createClient(origin: string, timeoutMs: number): Client {
  const { port } = new URL(origin)
  let socket: Socket | null = null
  const drop = () => {
    socket?.destroy()
    socket = null
  }
  async function ask(request: Buffer, isAgain = false): Promise<Reply> {
    const isFresh = socket === null || socket.destroyed
    const open =
      isFresh || !socket
        ? connect({ host: '127.0.0.1', port: Number(port), noDelay: true })
        : socket
    socket = open
    const reply = await exchange(open, request, timeoutMs)
    const isLast = reply.kind === 'answer' && reply.answer.headers.connection === 'close'
    if (reply.kind !== 'answer' || isLast) drop()
    // A kept connection may end at any time; a new one may not.
    return reply.kind === 'closed' && !isFresh && !isAgain ? ask(request, true) : reply
  }
  return { ask: (request) => ask(request), close: drop }
}

function exchange(socket: Socket, request: Buffer, timeoutMs: number): Promise<Reply> {
  const began = performance.now()
  return new Promise((resolve) => {
    let received: Buffer = Buffer.alloc(0)
    const finish = (
      reply: { kind: 'answer'; answer: Answer } | { kind: 'closed' | 'silent' | 'nonsense' },
    ) => {
      clearTimeout(timer)
      socket.off('data', onData).off('close', onEnd).off('end', onEnd)
      resolve({ ...reply, ms: performance.now() - began })
    }
    const onData = (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      try {
        const taken = takeAnswer(received)
        if (!taken) return
        if (taken.rest.length > 0) finish({ kind: 'nonsense' })
        else finish({ kind: 'answer', answer: taken.answer })
      } catch {
        finish({ kind: 'nonsense' })
      }
    }
    const onEnd = () => finish({ kind: 'closed' })
    const timer = setTimeout(() => finish({ kind: 'silent' }), timeoutMs)
    // Without a listener an error would end the process; `close` follows it.
    if (socket.listenerCount('error') === 0) socket.on('error', () => {})
    socket.on('data', onData).on('close', onEnd).on('end', onEnd)
    socket.write(request)
  })
}
