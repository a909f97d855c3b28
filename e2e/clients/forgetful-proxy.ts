import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Passes connections on to a server, and loses the answers of as many as it is told. */
export interface ForgetfulProxy extends AsyncDisposable {
  url: string
  /** The next so many connections end once the server has answered, without the answer. */
  loseNext(count: number): void
  /** Connections so far. */
  connections(): number
}

export async function openForgetfulProxy(target: string): Promise<ForgetfulProxy> {
  const { port, hostname } = new URL(target)
  const open = new Set<Socket>()
  let toLose = 0
  let connections = 0
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    const loses = toLose > 0
    if (loses) toLose -= 1
    connections += 1
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
    }
    client.pipe(upstream)
    if (loses) upstream.once('data', () => client.destroy())
    else upstream.pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    loseNext(count) {
      toLose = count
    },
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
