import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { buildServer, type ConnectionLimits, createLogger, createMetrics } from '../src/index.ts'

const usual: ConnectionLimits = { max: 100, perAddress: 0, silentMs: 60_000 }

async function serve(limits: Partial<ConnectionLimits>) {
  const metrics = createMetrics({ name: 'test', version: '1' })
  const app = buildServer({
    title: 'test',
    description: 'test',
    version: '1',
    logger: createLogger({ name: 'test', level: 'silent' }),
    connections: { ...usual, ...limits },
    metrics,
  })
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const sockets: Socket[] = []
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await app.close()
  })
  const open = async () => {
    const socket = connect({ host: '127.0.0.1', port: Number(url.port) })
    socket.on('error', () => {})
    sockets.push(socket)
    await once(socket, 'connect')
    return socket
  }
  const refused = async (reason: string) => {
    const text = await metrics.registry.metrics()
    const line = `pushkeep_http_connections_refused_total{reason="${reason}"} `
    return Number(
      text
        .split('\n')
        .find((one) => one.startsWith(line))
        ?.slice(line.length),
    )
  }
  return { open, refused }
}

const request = 'GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n'

async function answerTo(socket: Socket): Promise<string> {
  socket.write(request)
  const [data] = await once(socket, 'data')
  return String(data).split('\r\n')[0] ?? ''
}

const closed = (socket: Socket) =>
  expect.poll(() => socket.closed || socket.destroyed, { timeout: 5000 }).toBe(true)

test('a connection that sends nothing is closed, one that was served stays', async () => {
  const { open, refused } = await serve({ silentMs: 100 })
  const [silent, spoken] = [await open(), await open()]
  expect(await answerTo(spoken)).toBe('HTTP/1.1 200 OK')
  silent.resume()
  await closed(silent)
  expect(await answerTo(spoken)).toBe('HTTP/1.1 200 OK')
  expect(await refused('silent')).toBe(1)
})

test('half a head counts as something: Node’s own limit ends it', async () => {
  const { open, refused } = await serve({ silentMs: 100 })
  const half = await open()
  half.write('GET /health/live HTTP/1.1\r\nhost')
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect(half.closed).toBe(false)
  expect(await refused('silent')).toBe(0)
})

test('one address has its share, and gets it back as its connections end', async () => {
  const { open, refused } = await serve({ perAddress: 2 })
  const [first, second] = [await open(), await open()]
  expect(await answerTo(first)).toBe('HTTP/1.1 200 OK')
  const third = await open()
  third.resume()
  await closed(third)
  expect(await refused('address')).toBe(1)
  second.destroy()
  await expect
    .poll(
      async () => {
        const next = await open()
        return Promise.race([answerTo(next), once(next, 'close').then(() => 'closed')])
      },
      { timeout: 5000 },
    )
    .toBe('HTTP/1.1 200 OK')
  expect(await answerTo(first)).toBe('HTTP/1.1 200 OK')
})

test('no more connections than may be are kept, and those that are there go on', async () => {
  const { open, refused } = await serve({ max: 3 })
  const kept = [await open(), await open(), await open()]
  for (const socket of kept) expect(await answerTo(socket)).toBe('HTTP/1.1 200 OK')
  const more = await open()
  more.resume()
  await closed(more)
  expect(await refused('all')).toBe(1)
  for (const socket of kept) expect(await answerTo(socket)).toBe('HTTP/1.1 200 OK')
})
