import { createServer, type Server, type Socket } from 'node:net'

/** What happens to a new TCP connection: let in, reset, or left hanging before TLS. */
export type GateMode = 'open' | 'refuse' | 'hold'

/** The TCP side of a listener. It stays on its port whatever the faults are. */
export class Gate {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(mode: () => GateMode, letIn: (socket: Socket) => void, refused: () => void) {
    this.#server = createServer((socket) => {
      socket.on('error', ignore)
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      switch (mode()) {
        case 'open':
          return letIn(socket)
        case 'refuse':
          refused()
          return socket.resetAndDestroy()
        case 'hold':
          return socket.pause()
      }
    })
  }

  /** Listens and returns the port. */
  async listen(port: number, host: string): Promise<number> {
    return await new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        const address = this.#server.address()
        if (address === null || typeof address === 'string') reject(new Error('No TCP address'))
        else resolve(address.port)
      })
    })
  }

  /** Drops every connection there is. */
  dropAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.dropAll()
    await closed
  }
}

function ignore(): void {}
