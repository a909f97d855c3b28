import { chmod, mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openPlace } from '../src/open-place.ts'
import { temporaryFolder } from './processes.ts'

const nobody = { uid: 65_534, gid: 65_534 }

async function placeIn(home: string) {
  const programs = join(home, 'package', 'native')
  await mkdir(join(programs, 'lib'), { recursive: true })
  await writeFile(join(home, 'package', 'package.json'), '{"name":"@x/linux","version":"18.4"}')
  await writeFile(join(programs, 'lib', 'lib.so.1'), 'library')
  await symlink('lib.so.1', join(programs, 'lib', 'lib.so'))
  return { data: join(home, 'data'), programs }
}

test('what the user cannot get at is moved, links included, and once', async () => {
  await using folder = await temporaryFolder()
  const home = join(folder.path, 'home')
  const shared = join(folder.path, 'shared')
  const wanted = await placeIn(home)
  await chmod(home, 0o700)
  const place = await openPlace(wanted, nobody, shared)
  expect(place.programs).toBe(join(shared, 'linux-18.4'))
  expect(place.data).toMatch(/shared\/data-[0-9a-f]{16}$/)
  expect(await readlink(join(place.programs, 'lib', 'lib.so'))).toBe('lib.so.1')
  expect(await readFile(join(place.programs, 'lib', 'lib.so'), 'utf8')).toBe('library')
  expect(await openPlace(wanted, nobody, shared)).toEqual(place)
})

test('only what is closed is moved', async () => {
  await using folder = await temporaryFolder()
  const home = join(folder.path, 'home')
  const { programs } = await placeIn(home)
  const data = join(folder.path, 'closed', 'data')
  await mkdir(join(folder.path, 'closed'), { mode: 0o700 })
  const place = await openPlace({ data, programs }, nobody, join(folder.path, 'shared'))
  expect(place.programs).toBe(programs)
  expect(place.data).not.toBe(data)
})
