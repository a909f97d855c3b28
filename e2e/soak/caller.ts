import { Agent, request } from 'node:http'

export interface Reply {
  status: number
  body: unknown
  ms: number
}

/** Calls one service over a few kept connections, as a backend does. */
export interface Caller {
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Reply>
  close(): void
}

/**
 * A fixed number of connections, as a fleet of backends has: what a service holds open does not depend on
 * our mood, and calls that wait are with the service, which can take them together.
 */
const connections = 48
const timeoutMs = 30_000

export function createCaller(origin: string, key: string): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections })
  return {
    call: (method, path, body, headers = {}) =>
      new Promise((resolve, reject) => {
        const text = body === undefined ? '' : JSON.stringify(body)
        const began = performance.now()
        const options = {
          method,
          agent,
          timeout: timeoutMs,
          headers: {
            authorization: `Bearer ${key}`,
            ...(text === '' ? {} : { 'content-type': 'application/json' }),
            'content-length': Buffer.byteLength(text),
            ...headers,
          },
        }
        const sent = request(origin + path, options, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const answer = Buffer.concat(chunks).toString('utf8')
            const ms = performance.now() - began
            const parsed: unknown = answer === '' ? null : JSON.parse(answer)
            resolve({ status: response.statusCode ?? 0, body: parsed, ms })
          })
        })
        sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)))
        sent.on('error', reject)
        sent.end(text)
      }),
    close: () => agent.destroy(),
  }
}
