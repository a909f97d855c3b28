import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A network between a phone and the registry, as bad as a test wants it. */
export interface Network extends AsyncDisposable {
  url: string
  /** `up`; `cut`: connections are refused; `deaf`: requests arrive, and their answers do not. */
  state: 'up' | 'cut' | 'deaf'
  /** How many requests went through to the registry. */
  requests: number
}

/** Passes TCP on to a port of this machine, or not. */
export async function startNetwork(targetPort: number): Promise<Network> {
  const sockets = new Set<Socket>()
  const server = createServer((inner) => {
    keep(inner)
    if (network.state === 'cut') {
      inner.resetAndDestroy()
      return
    }
    const outer = connect(targetPort, '127.0.0.1')
    keep(outer)
    inner.on('data', (chunk: Buffer) => {
      if (network.state === 'cut') return hangUp(inner, outer)
      if (/^(POST|GET) /.test(chunk.toString('latin1', 0, 5))) network.requests += 1
      outer.write(chunk)
    })
    outer.on('data', (chunk: Buffer) => {
      if (network.state === 'up') inner.write(chunk)
      else hangUp(inner, outer)
    })
    inner.on('close', () => outer.destroy())
    outer.on('close', () => inner.destroy())
  })

  function keep(socket: Socket): void {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }

  function hangUp(...both: Socket[]): void {
    for (const socket of both) socket.resetAndDestroy()
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const network: Network = {
    url: `http://127.0.0.1:${port}`,
    state: 'up',
    requests: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return network
}
