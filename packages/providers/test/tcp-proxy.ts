import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface TcpProxy {
  url: string
  connections: number
  /** From now on nothing passes on the connections that are open, and nobody is told. */
  freeze(): void
  close(): Promise<void>
}

/** Passes TCP on to a port of this machine, until it is told to let connections hang half-open. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const server = createServer((inner) => {
    const outer = connect(targetPort, '127.0.0.1')
    proxy.connections += 1
    for (const socket of [inner, outer]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    inner.pipe(outer)
    outer.pipe(inner)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const proxy: TcpProxy = {
    url: `https://localhost:${port}`,
    connections: 0,
    freeze: () => {
      for (const socket of sockets) {
        socket.unpipe()
        socket.pause()
      }
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}
