import { sign } from 'node:crypto'
import { connect } from 'node:http2'

/**
 * What a plain `node:http2` client reaches against the same simulator: one session, a fixed number
 * of streams in flight, a constant payload, nothing read, judged or stored but the status.
 */
interface Task {
  url: string
  ca: string
  tokens: string[]
  apns: { teamId: string; keyId: string; topic: string; privateKeyPem: string }
}

const inFlightMax = 100

process.once('message', (task: Task) => void run(task))

function providerToken({ teamId, keyId, privateKeyPem }: Task['apns']): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: 'ES256', kid: keyId })}.${part({ iss: teamId, iat: Math.floor(Date.now() / 1000) })}`
  const signature = sign('sha256', Buffer.from(text), {
    key: privateKeyPem,
    dsaEncoding: 'ieee-p1363',
  })
  return `${text}.${signature.toString('base64url')}`
}

async function run(task: Task): Promise<void> {
  const session = connect(task.url, { ca: task.ca, peerMaxConcurrentStreams: 1 })
  await new Promise((resolve) => session.once('remoteSettings', resolve))
  const authorization = `bearer ${providerToken(task.apns)}`
  const body = Buffer.from(
    JSON.stringify({ aps: { alert: { title: 'Hello', body: 'To everyone who is here' } } }),
  )
  let next = 0
  let accepted = 0
  let open = 0
  const began = performance.now()
  await new Promise<void>((resolve, reject) => {
    session.once('error', reject)
    const more = () => {
      // The first request opens the way for the others, as at Apple.
      const limit = accepted === 0 ? 1 : inFlightMax
      while (open < limit && next < task.tokens.length) sendOne(task.tokens[next++] ?? '')
      if (open === 0 && next >= task.tokens.length) resolve()
    }
    const sendOne = (token: string) => {
      open += 1
      const stream = session.request({
        ':method': 'POST',
        ':path': `/3/device/${token}`,
        authorization,
        'apns-topic': task.apns.topic,
        'apns-push-type': 'alert',
        'apns-priority': '10',
      })
      stream.on('response', (headers) => {
        if (headers[':status'] === 200) accepted += 1
      })
      stream.on('error', reject)
      stream.on('close', () => {
        open -= 1
        more()
      })
      stream.resume()
      stream.end(body)
    }
    more()
  })
  const seconds = (performance.now() - began) / 1000
  session.close()
  if (accepted !== task.tokens.length) throw new Error(`${accepted} of ${task.tokens.length}`)
  process.send?.({ seconds })
}
