/**
 * Measures what a push costs through the providers against a bare node:http2 loop that sends the
 * same requests: `node packages/providers/bin/measure.ts [pushes a round]`. The server runs in a
 * process of its own; the rounds alternate, and the medians are compared. CPU is this process's.
 */
import { fork } from 'node:child_process'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type ClientHttp2Session, connect, createSecureServer } from 'node:http2'
import { fileURLToPath } from 'node:url'
import { createApnsProvider } from '../src/apns/client.ts'
import { renderApns } from '../src/apns/payload.ts'
import { poolDefaults } from '../src/pool-settings.ts'
import { SessionPool } from '../src/session-pool.ts'
import { certificate, privateKey } from '../test/localhost-certificate.ts'

type Send = (token: string, id: string, done: () => void) => void
interface Way {
  send: Send
  close: () => Promise<void> | void
}
interface Figure {
  perSecond: number
  cpuMicros: number
}

const rounds = 5
const tokens = Array.from({ length: 4096 }, (_, at) => at.toString(16).padStart(64, '0'))
const ids = Array.from({ length: 4096 }, () => randomUUID())
const push = renderApns(
  {
    id: randomUUID(),
    content: { title: 'Your order is on its way', body: 'x'.repeat(120), sound: 'default' },
    priority: 'high',
    collapseId: randomUUID(),
    expiresAt: Date.now() + 3_600_000,
    ttlSeconds: 3600,
  },
  'com.example.app',
)
const signingKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const authorization = `bearer ${'x'.repeat(200)}`

if (process.argv[2] === 'serve') serve()
else await measure(Number(process.argv[2] ?? 20_000))

function serve(): void {
  const server = createSecureServer({
    key: privateKey,
    cert: certificate,
    settings: { maxConcurrentStreams: 1000 },
  })
  server.on('session', (session) => session.on('error', () => {}))
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    stream.on('end', () => stream.respond({ ':status': 200 }, { endStream: true }))
    stream.resume()
  })
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()))
}

async function measure(pushes: number): Promise<void> {
  const server = fork(fileURLToPath(import.meta.url), ['serve'])
  const [address] = await once(server, 'message')
  const origin = `https://localhost:${address.port}`
  for (const [sessions, inFlight] of [
    [1, 100],
    [4, 50],
  ] as const) {
    const ways: Record<string, () => Promise<Way>> = {
      bare: () => bare(origin, sessions),
      pool: async () => pool(origin, sessions, inFlight),
      'APNs provider': async () => provider(origin, sessions, inFlight),
    }
    const figures = new Map<string, Figure[]>()
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, open] of Object.entries(ways)) {
        const way = await open()
        await drive(way.send, sessions * inFlight, pushes / 5)
        const figure = await drive(way.send, sessions * inFlight, pushes)
        figures.set(name, [...(figures.get(name) ?? []), figure])
        await way.close()
      }
    }
    report(`${sessions} x ${inFlight} in flight`, figures)
  }
  server.kill()
}

function report(title: string, figures: Map<string, Figure[]>): void {
  const bareSpeed = median(figures.get('bare') ?? [], 'perSecond')
  for (const [name, list] of figures) {
    const [speed, cpu] = [median(list, 'perSecond'), median(list, 'cpuMicros')]
    const ratio = (speed / bareSpeed).toFixed(2)
    console.log(
      `${title}: ${name} ${Math.round(speed)}/s, ${cpu.toFixed(1)} µs CPU, ${ratio} of bare`,
    )
  }
}

function median(figures: Figure[], key: keyof Figure): number {
  const sorted = figures.map((figure) => figure[key]).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

function drive(send: Send, inFlight: number, count: number): Promise<Figure> {
  return new Promise((resolve) => {
    let [sent, answered] = [0, 0]
    const [startedAt, cpu] = [performance.now(), process.cpuUsage()]
    const next = () => {
      if (sent >= count) return
      const at = sent++ & 4095
      send(tokens[at] ?? '', ids[at] ?? '', () => {
        answered += 1
        if (answered < count) return next()
        const { user, system } = process.cpuUsage(cpu)
        const perSecond = (count / (performance.now() - startedAt)) * 1000
        resolve({ perSecond, cpuMicros: (user + system) / count })
      })
    }
    for (let lane = 0; lane < inFlight; lane += 1) next()
  })
}

async function bare(origin: string, count: number): Promise<Way> {
  const sessions: ClientHttp2Session[] = []
  for (let made = 0; made < count; made += 1) {
    const session = connect(origin, { ca: certificate })
    await once(session, 'remoteSettings')
    sessions.push(session)
  }
  const fixed: Record<string, string> = {}
  for (let at = 0; at < push.headers.length; at += 2) {
    fixed[push.headers[at] ?? ''] = push.headers[at + 1] ?? ''
  }
  let turn = 0
  const send: Send = (token, id, done) => {
    const stream = sessions[turn++ % count]?.request({
      ':method': 'POST',
      ':path': `/3/device/${token}`,
      authorization,
      'apns-id': id,
      'apns-topic': fixed['apns-topic'],
      'apns-push-type': fixed['apns-push-type'],
      'apns-priority': fixed['apns-priority'],
      'apns-expiration': fixed['apns-expiration'],
      'apns-collapse-id': fixed['apns-collapse-id'],
    })
    let status = 0
    stream?.on('response', (headers) => {
      status = headers[':status'] ?? 0
    })
    stream?.on('error', () => {})
    stream?.on('close', () => {
      if (status === 200) done()
    })
    stream?.resume()
    stream?.end(push.payload)
  }
  return { send, close: () => sessions.forEach((session) => void session.close()) }
}

function pool(origin: string, maxSessions: number, maxStreams: number): Way {
  const made = new SessionPool(origin, certificate, { ...poolDefaults, maxStreams, maxSessions })
  const send: Send = (token, id, done) => {
    const headers = [
      ':method',
      'POST',
      ':scheme',
      'https',
      ':authority',
      made.authority,
      ':path',
      `/3/device/${token}`,
      'authorization',
      authorization,
      'apns-id',
      id,
      ...push.headers,
    ]
    made.request(headers, push.payload, false, (result) => {
      if (result.kind === 'answered' && result.status === 200) done()
    })
  }
  return { send, close: () => made.close(1000) }
}

function provider(origin: string, maxSessions: number, maxStreams: number): Way {
  const credentials = {
    teamId: 'TEAM123456',
    keyId: 'KEY1234567',
    topic: 'com.example.app',
    privateKey: signingKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    environment: 'production' as const,
  }
  const endpoints = {
    apnsProduction: origin,
    apnsSandbox: origin,
    fcm: origin,
    fcmToken: origin,
    ca: certificate,
  }
  const made = createApnsProvider(credentials, endpoints, { pool: { maxSessions, maxStreams } })
  const send: Send = (token, apnsId, done) => {
    made.send(push, { token, apnsId, environment: null, isUrgent: false }, (outcome) => {
      if (outcome.kind === 'accepted') done()
    })
  }
  return { send, close: () => made.close(1000) }
}
