import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { Failure } from '../failure.ts'

/** What an export ends with. */
const ending = '"complete":true}'

/**
 * Writes an export into a file that its owner alone can read; its bytes. A file of this name is whole: one that
 * broke off is removed, and is a failure.
 */
export async function writeWhole(file: string, body: ReadableStream<Uint8Array>): Promise<number> {
  const part = `${file}.part`
  let bytes = 0
  let tail = ''
  async function* counted(chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      bytes += chunk.length
      tail = (tail + Buffer.from(chunk).toString('latin1')).slice(-ending.length - 1)
      yield chunk
    }
  }
  try {
    await rm(part, { force: true })
    await pipeline(
      Readable.fromWeb(body),
      counted,
      createWriteStream(part, { mode: 0o600, flags: 'wx' }),
    )
    if (tail.trimEnd() !== ending) throw new Failure('the export broke off: try again')
    await rename(part, file)
    return bytes
  } catch (error) {
    await rm(part, { force: true })
    if (error instanceof Failure) throw error
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
    throw new Failure(`--out: ${file} was not written${code}`)
  }
}
