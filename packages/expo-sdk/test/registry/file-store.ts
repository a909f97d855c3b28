import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from '../../src/core/index.ts'

/** A store of files: a key is replaced as a whole or not at all, whenever the process is killed. */
export function fileStore(folder: string): Store {
  const placeOf = (key: string) => join(folder, encodeURIComponent(key))
  return {
    async getItem(key) {
      try {
        return await readFile(placeOf(key), 'utf8')
      } catch {
        return null
      }
    },
    async setItem(key, value) {
      await mkdir(folder, { recursive: true })
      await writeFile(`${placeOf(key)}.new`, value)
      await rename(`${placeOf(key)}.new`, placeOf(key))
    },
    removeItem: (key) => rm(placeOf(key), { force: true }),
  }
}
