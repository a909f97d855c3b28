/**
 * A body that all pushes of a message share but for the device's token, which goes between each two
 * of its parts. One part: the token is not in it.
 */
export type Spliced = readonly [Buffer, ...Buffer[]]

/** Makes the parts of text that is cut where the token goes, inside a JSON string. */
export function spliced(first: string, ...rest: string[]): Spliced {
  return [Buffer.from(first), ...rest.map((text) => Buffer.from(text))]
}

/** The body for one device: rendered once a message, copied together once a push. */
export function bodyFor(parts: Spliced, token: string): Buffer {
  if (parts.length === 1) return parts[0]
  const text = /^[\w:.~=-]+$/.test(token) ? token : JSON.stringify(token).slice(1, -1)
  const body = Buffer.allocUnsafe(bytesOf(parts, Buffer.byteLength(text)))
  let at = parts[0].copy(body)
  for (let part = 1; part < parts.length; part += 1) {
    at += body.write(text, at)
    at += parts[part]?.copy(body, at) ?? 0
  }
  return body
}

/** How long the body is for a token of so many bytes. */
export function bytesOf(parts: Spliced, tokenBytes: number): number {
  return parts.reduce((sum, part) => sum + part.length, (parts.length - 1) * tokenBytes)
}
