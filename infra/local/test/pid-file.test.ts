import { readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { startChild } from '../src/child.ts'
import { pathsOf } from '../src/directory.ts'
import { identityOf } from '../src/identity.ts'
import { releaseDirectory, runningProcess, takeDirectory } from '../src/pid-file.ts'
import { endLeftovers, recordProcesses } from '../src/processes.ts'
import { isAlive, pathOf, temporaryFolder } from './processes.ts'

test('a directory is taken once', async () => {
  await using folder = await temporaryFolder()
  expect(await takeDirectory(folder.path)).toBeNull()
  expect(await takeDirectory(folder.path)).toMatchObject({ pid: process.pid })
  expect(await readFile(pathsOf(folder.path).pid, 'utf8')).toMatch(`${process.pid}\n`)
  await releaseDirectory(folder.path)
  expect(await runningProcess(folder.path)).toBeNull()
})

test.each([
  ['of another process with that pid', `${process.pid}\nanother start\n`],
  ['of no process', '4194303\nx y\n'],
  ['half written', ''],
])('a pid file %s is stale', async (_case, text) => {
  await using folder = await temporaryFolder()
  await writeFile(pathsOf(folder.path).pid, text)
  expect(await runningProcess(folder.path)).toBeNull()
  expect(await takeDirectory(folder.path)).toBeNull()
})

test('leftovers are ended, a process that only has their pid is not', async () => {
  await using folder = await temporaryFolder()
  const file = pathOf('./fixtures/child.ts')
  const ours = await startChild({ name: 'ours', file })
  const other = await startChild({ name: 'other', file })
  await recordProcesses(folder.path, [ours, other])
  const recorded = JSON.parse(await readFile(pathsOf(folder.path).processes, 'utf8'))
  expect(recorded[0].identity).toBe(await identityOf(ours.pid))
  recorded[1].identity = 'of an earlier process'
  await writeFile(pathsOf(folder.path).processes, JSON.stringify(recorded))
  expect(await endLeftovers(folder.path)).toEqual(['ours'])
  expect(await isAlive(ours.pid)).toBe(false)
  expect(await isAlive(other.pid)).toBe(true)
  await other.stop()
  expect(await endLeftovers(folder.path)).toEqual([])
})
