import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Recording } from '@pushkeep/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { journalStaleMs, openJournal } from '../src/delivery/journal.ts'
import { recoverOutcomes } from '../src/delivery/journal-recovery.ts'
import { recording } from './recordings.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pushkeep-journal-'))
})
afterEach(() => rm(directory, { recursive: true }))

const errors: unknown[] = []

function open() {
  return openJournal(directory, Date.now, (error) => errors.push(error))
}

let looks = 0

/** What a look finds when the journals have not been touched for a while, the last look included. */
async function recover(write?: (batch: readonly Recording[]) => Promise<unknown>) {
  const rows: Recording[] = []
  looks += 1
  const laterMs = looks * (journalStaleMs + 1000)
  const recovered = await recoverOutcomes({
    directory,
    write: write ?? (async (batch) => rows.push(...batch)),
    batchSize: 3,
    now: () => Date.now() + laterMs,
  })
  return { rows, recovered }
}

const files = () => readdir(directory)

test('what a process knew and had not recorded when it ended is found, in order', async () => {
  const journal = open()
  journal.append([recording(1), recording(2)])
  journal.append([recording(3, { status: 'bounced', reason: 'Unregistered', personNo: 7 })])
  journal.append([recording(4), recording(5)])
  const { rows, recovered } = await recover()
  expect(rows.map((row) => row.deviceNo)).toEqual([1, 2, 3, 4, 5])
  expect(rows[2]).toEqual(recording(3, { status: 'bounced', reason: 'Unregistered', personNo: 7 }))
  expect(recovered).toEqual({ outcomes: 5, unreadable: 0 })
  expect(await files()).toEqual([])
})

test('what is recorded is cut off, and a process that ends in good order leaves nothing', async () => {
  const journal = open()
  journal.append([recording(1), recording(2)])
  journal.recorded(1)
  const [name] = await files()
  const path = join(directory, name ?? '')
  expect((await stat(path)).size).toBeGreaterThan(0)
  journal.recorded(1)
  expect((await stat(path)).size).toBe(0)
  journal.append([recording(3)])
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual([recording(3)])
  journal.recorded(1)
  journal.close()
  expect(await files()).toEqual([])
})

test('a process that ends with outcomes that it could not record leaves them', async () => {
  const journal = open()
  journal.append([recording(1)])
  journal.close()
  expect((await recover()).rows).toEqual([recording(1)])
})

test('the journal of a process that lives is left alone', async () => {
  const journal = open()
  journal.append([recording(1)])
  const old = new Date(Date.now() - 60_000)
  for (const name of await files()) await utimes(join(directory, name), old, old)
  journal.touch()
  const write = async () => {
    throw new Error('nothing is to be recorded')
  }
  const options = { directory, write, batchSize: 3, now: Date.now }
  expect(await recoverOutcomes(options)).toEqual({ outcomes: 0, unreadable: 0 })
})

test('one of several that look at once records it', async () => {
  const journal = open()
  journal.append([recording(1), recording(2)])
  const all = await Promise.all(Array.from({ length: 8 }, () => recover()))
  expect(all.flatMap(({ rows }) => rows.map((row) => row.deviceNo))).toEqual([1, 2])
})

test('where the database is away the outcomes stay for the next look', async () => {
  const journal = open()
  journal.append([recording(1)])
  const away = async () => {
    throw new Error('away')
  }
  await expect(recover(away)).rejects.toThrow('away')
  expect((await recover()).rows).toEqual([recording(1)])
})

test('a line that was cut off, or that another version wrote, costs no other', async () => {
  const other = { ...recording(2), status: 'elsewhere' }
  const lines = [[recording(1)], [other], [recording(3)]].map((line) => JSON.stringify(line))
  await writeFile(join(directory, 'a.outcomes'), `${lines.join('\n')}\n[{"chunkNo":"1","mess`)
  const { rows, recovered } = await recover()
  expect(rows.map((row) => row.deviceNo)).toEqual([1, 3])
  expect(recovered.unreadable).toBe(2)
})

test('a process that was taken for dead goes on with a new journal', async () => {
  const journal = open()
  journal.append([recording(1)])
  expect((await recover()).rows).toHaveLength(1)
  journal.touch()
  journal.append([recording(2)])
  expect((await recover()).rows).toEqual([recording(2)])
})

test('a journal that never runs empty does not grow without bound', async () => {
  const journal = open()
  const batch = Array.from({ length: 100 }, (_, n) => recording(n))
  journal.append(batch)
  for (let n = 0; n < 400; n += 1) {
    journal.append(batch)
    journal.recorded(100)
  }
  const sizes = await Promise.all(
    (await files()).map(async (name) => (await stat(join(directory, name))).size),
  )
  expect(sizes.length).toBeLessThanOrEqual(2)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(9 * 1024 * 1024)
  expect((await recover()).rows.slice(-100)).toEqual(batch)
})

test('a folder that is gone is reported once, and nothing fails', async () => {
  const journal = open()
  journal.append([recording(1)])
  await rm(directory, { recursive: true })
  errors.length = 0
  for (let n = 0; n < 3; n += 1) {
    journal.touch()
    journal.append([recording(2)])
    journal.recorded(1)
  }
  expect(errors).toHaveLength(1)
  await mkdir(directory)
})
