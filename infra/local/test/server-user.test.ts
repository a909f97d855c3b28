import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { obstacle } from '../src/server-user.ts'
import { temporaryFolder } from './processes.ts'

const nobody = { uid: 65_534, gid: 65_534 }

test('the folder that keeps another user out is named', async () => {
  await using folder = await temporaryFolder()
  const home = join(folder.path, 'home')
  await mkdir(join(home, 'repository'), { recursive: true })
  await chmod(folder.path, 0o711)
  await chmod(home, 0o700)
  expect(await obstacle(join(home, 'repository', 'postgres'), nobody)).toBe(home)
  await chmod(home, 0o711)
  // What stands above may be closed, too: not our doing.
  expect(await obstacle(join(home, 'repository', 'postgres'), nobody)).not.toBe(home)
})

test('an owner may enter what is closed to others', async () => {
  await using folder = await temporaryFolder()
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  expect(await obstacle(join(folder.path, 'postgres'), owner)).toBeNull()
})
