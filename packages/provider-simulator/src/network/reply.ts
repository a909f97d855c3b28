import type { ServerResponse } from 'node:http'
import { constants, type ServerHttp2Stream } from 'node:http2'
import type { Connection } from './connection.ts'

/** An answer as it goes over the wire. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** The way back to one request's sender. */
export interface Reply {
  send(answer: Answer): void
  /** RST_STREAM; over HTTP/1.1 the connection ends. */
  reset(code: number): void
  /** Ends the whole connection. */
  lose(): void
}

/** Answers one HTTP/2 stream. A client that has gone is not an error. */
export class StreamReply implements Reply {
  readonly #connection: Connection
  readonly #stream: ServerHttp2Stream

  constructor(connection: Connection, stream: ServerHttp2Stream) {
    this.#connection = connection
    this.#stream = stream
  }

  send({ status, headers, body }: Answer): void {
    if (this.#stream.destroyed || this.#stream.closed || this.#connection.silenced) return
    const endStream = body === ''
    this.#stream.respond({ ':status': status, ...headers }, { endStream })
    if (!endStream) this.#stream.end(body)
  }

  reset(code: number): void {
    if (!this.#stream.destroyed) this.#stream.close(code)
  }

  lose(): void {
    this.#connection.lose()
  }
}

/** Answers one HTTP/1.1 request. */
export class Http1Reply implements Reply {
  readonly #connection: Connection
  readonly #response: ServerResponse

  constructor(connection: Connection, response: ServerResponse) {
    this.#connection = connection
    this.#response = response
  }

  send({ status, headers, body }: Answer): void {
    if (this.#response.destroyed || this.#connection.silenced) return
    this.#response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
    this.#response.end(body)
  }

  reset(): void {
    this.#connection.lose()
  }

  lose(): void {
    this.#connection.lose()
  }
}

export const REFUSED_STREAM = constants.NGHTTP2_REFUSED_STREAM
