import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ReadableStream } from 'node:stream/web'
import { expect, onTestFinished, test } from 'vitest'
import { writeWhole } from '../src/cli/api/person-file.ts'
import { temporaryFolder } from './processes.ts'

async function inFolder() {
  const folder = await temporaryFolder()
  onTestFinished(() => folder[Symbol.asyncDispose]())
  return folder.path
}

const streamOf = (...texts: string[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const text of texts) controller.enqueue(Buffer.from(text))
      controller.close()
    },
  })

test('an export is a file for its owner alone, however it is cut into pieces', async () => {
  const folder = await inFolder()
  const file = join(folder, 'ana.json')
  const text = '{"person":{"id":"ana"},\n"complete":true}\n'
  expect(await writeWhole(file, streamOf(...text))).toBe(text.length)
  expect(await readFile(file, 'utf8')).toBe(text)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('one that breaks off leaves no file', async () => {
  const folder = await inFolder()
  const broken = writeWhole(join(folder, 'ana.json'), streamOf('{"person":{"id":"ana"}'))
  await expect(broken).rejects.toThrow('broke off')
  expect(await readdir(folder)).toEqual([])
  const nowhere = writeWhole(join(folder, 'none', 'ana.json'), streamOf('"complete":true}'))
  await expect(nowhere).rejects.toThrow('--out')
})
