import type { Socket } from 'node:net'

interface ReadingHandle {
  readStop: () => unknown
}

/**
 * Stops reading a socket below Node's streams, so that what the peer sends piles up in the kernel.
 * `pause()` is not enough: an HTTP/2 session reads from the handle itself, past the stream, and
 * answers a PING before any JavaScript could keep it from doing so.
 */
export function freeze(socket: Socket): void {
  const handle: unknown = '_handle' in socket ? socket._handle : null
  if (isReadingHandle(handle)) handle.readStop()
}

function isReadingHandle(handle: unknown): handle is ReadingHandle {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'readStop' in handle &&
    typeof handle.readStop === 'function'
  )
}
