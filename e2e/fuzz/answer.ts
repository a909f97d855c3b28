/** One HTTP answer. */
export interface Answer {
  status: number
  /** By name in lower case. */
  headers: Record<string, string>
  body: Buffer
}

/**
 * Takes one whole answer from the front of what has arrived. Null: more has to come. Throws where it
 * is no HTTP.
 */
export function takeAnswer(received: Buffer): { answer: Answer; rest: Buffer } | null {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return null
  const [statusLine = '', ...lines] = received.subarray(0, end).toString('latin1').split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1])
  if (!status) throw new Error('what arrived is no HTTP answer')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const after = received.subarray(end + 4)
  // 100 Continue: the answer proper follows.
  if (status < 200) return takeAnswer(after)
  const body =
    headers['transfer-encoding'] === 'chunked'
      ? takeChunks(after)
      : takeCounted(after, status, headers)
  return body && { answer: { status, headers, body: body.body }, rest: body.rest }
}

interface Taken {
  body: Buffer
  rest: Buffer
}

function takeCounted(after: Buffer, status: number, headers: Record<string, string>): Taken | null {
  const length = status === 204 || status === 304 ? 0 : Number(headers['content-length'] ?? 0)
  if (after.length < length) return null
  return { body: after.subarray(0, length), rest: after.subarray(length) }
}

function takeChunks(after: Buffer): Taken | null {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const end = after.indexOf('\r\n', at)
    if (end < 0) return null
    const size = Number.parseInt(after.subarray(at, end).toString('latin1'), 16)
    const from = end + 2
    if (after.length < from + size + 2) return null
    if (size === 0) return { body: Buffer.concat(parts), rest: after.subarray(from + 2) }
    parts.push(after.subarray(from, from + size))
    at = from + size + 2
  }
}
