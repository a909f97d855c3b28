import { isUtf8 } from 'node:buffer'
import { type FileRecord, lineBytesMax, type Position, unreadable } from './records.ts'

const newline = 10

/**
 * The records of a file of JSON lines, from a position on. Empty lines are passed over; a line that is
 * too long, no JSON or no UTF-8 is one bad record.
 */
export async function* readNdjson(
  input: AsyncIterable<Buffer>,
  from: Position,
): AsyncGenerator<FileRecord> {
  const position = { ...from }
  let rest: Buffer = Buffer.alloc(0)
  let isTooLong = false
  for await (const chunk of input) {
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const piece = chunk.subarray(start, end)
      const line = rest.length === 0 ? piece : Buffer.concat([rest, piece])
      const tooLong = isTooLong || line.length > lineBytesMax
      start = end + 1
      position.line += 1
      position.bytes += (isTooLong ? piece.length : line.length) + 1
      rest = Buffer.alloc(0)
      isTooLong = false
      const record = recordOf(line, position, tooLong)
      if (record) yield record
    }
    const tail = chunk.subarray(start)
    if (isTooLong) position.bytes += tail.length
    else if (rest.length + tail.length > lineBytesMax) {
      // The rest of it is not kept: memory must not grow with a line.
      position.bytes += rest.length + tail.length
      rest = Buffer.alloc(0)
      isTooLong = true
    } else rest = rest.length === 0 ? tail : Buffer.concat([rest, tail])
  }
  if (rest.length === 0 && !isTooLong) return
  position.line += 1
  position.bytes += rest.length
  const record = recordOf(rest, position, isTooLong)
  if (record) yield record
}

function recordOf(line: Buffer, position: Position, isTooLong: boolean): FileRecord | null {
  const end = { ...position }
  if (isTooLong) return unreadable(end.line, end, `is over ${lineBytesMax} bytes`)
  if (line.length === 0 || (line.length === 1 && line[0] === 13)) return null
  if (!isUtf8(line)) return unreadable(end.line, end, 'is not valid UTF-8')
  try {
    const value: unknown = JSON.parse(line.toString('utf8'))
    return { line: end.line, end, content: { kind: 'value', value } }
  } catch {
    // JSON.parse's own message repeats the text.
    return unreadable(end.line, end, 'is not valid JSON')
  }
}
