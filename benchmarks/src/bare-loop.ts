import { sign } from 'node:crypto'
import { connect, type OutgoingHttpHeaders } from 'node:http2'
import type { Credentials } from './scene.ts'

/**
 * What a plain `node:http2` client reaches against the same simulator: one session, a fixed number
 * of streams in flight, the body put together by a template text, nothing read, judged or stored but
 * the status. Run as a process of its own.
 */
export interface BareTask extends Credentials {
  provider: 'apns' | 'fcm'
  url: string
  tokenUrl: string
  tokens: string[]
}

interface Push {
  headers: OutgoingHttpHeaders
  body: string | Buffer
}

const inFlightMax = 100
const said = { title: 'Hello', body: 'To everyone who is here' }

process.once('message', (task: BareTask) => void run(task))

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const seconds = () => Math.floor(Date.now() / 1000)

function apnsPushes({ apns: { teamId, keyId, topic, privateKeyPem } }: BareTask) {
  const text = `${part({ alg: 'ES256', kid: keyId })}.${part({ iss: teamId, iat: seconds() })}`
  const key = { key: privateKeyPem, dsaEncoding: 'ieee-p1363' } as const
  const authorization = `bearer ${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
  const body = Buffer.from(JSON.stringify({ aps: { alert: said } }))
  return (token: string): Push => ({
    headers: {
      ':method': 'POST',
      ':path': `/3/device/${token}`,
      authorization,
      'apns-topic': topic,
      'apns-push-type': 'alert',
      'apns-priority': '10',
    },
    body,
  })
}

async function fcmPushes({ fcm: { projectId, serviceAccount }, tokenUrl, ca }: BareTask) {
  const { client_email: iss, private_key } = serviceAccount
  const claims = { iss, aud: tokenUrl, iat: seconds(), exp: seconds() + 3600 }
  const scope = 'https://www.googleapis.com/auth/firebase.messaging'
  const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ ...claims, scope })}`
  const assertion = `${text}.${sign('sha256', Buffer.from(text), private_key).toString('base64url')}`
  const authorization = `Bearer ${await accessToken(tokenUrl, ca, assertion)}`
  const rest = `","notification":${JSON.stringify(said)}}}`
  return (token: string): Push => ({
    headers: {
      ':method': 'POST',
      ':path': `/v1/projects/${projectId}/messages:send`,
      authorization,
      'content-type': 'application/json',
    },
    body: `{"message":{"token":"${token}${rest}`,
  })
}

function accessToken(tokenUrl: string, ca: string, assertion: string): Promise<string> {
  const { origin, pathname } = new URL(tokenUrl)
  const session = connect(origin, { ca })
  return new Promise((resolve, reject) => {
    session.once('error', reject)
    const stream = session.request({
      ':method': 'POST',
      ':path': pathname,
      'content-type': 'application/x-www-form-urlencoded',
    })
    let answer = ''
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      answer += text
    })
    stream.on('end', () => {
      session.close()
      resolve(JSON.parse(answer).access_token)
    })
    const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
    stream.end(new URLSearchParams({ grant_type, assertion }).toString())
  })
}

async function run(task: BareTask): Promise<void> {
  const pushTo = task.provider === 'apns' ? apnsPushes(task) : await fcmPushes(task)
  const session = connect(task.url, { ca: task.ca, peerMaxConcurrentStreams: 1 })
  await new Promise((resolve) => session.once('remoteSettings', resolve))
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
      const { headers, body } = pushTo(token)
      const stream = session.request(headers)
      stream.on('response', (answer) => {
        if (answer[':status'] === 200) accepted += 1
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
  const took = (performance.now() - began) / 1000
  session.close()
  if (accepted !== task.tokens.length) throw new Error(`${accepted} of ${task.tokens.length}`)
  process.send?.({ seconds: took })
}
