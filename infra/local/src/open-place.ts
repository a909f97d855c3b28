import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { obstacle, type ServerUser } from './server-user.ts'

/** A server's data directory and the folder of its programs. */
export interface Place {
  data: string
  programs: string
}

const Manifest = z.object({ name: z.string(), version: z.string() })

/** Open to all: `/root`, where a repository of root's often is, is not. */
const sharedFolder = '/var/lib/pushkeep'

/**
 * Where the server's user can get at its data and programs: as wanted, or else, for what is behind a
 * folder that is closed to others, in `/var/lib/pushkeep`.
 */
export async function openPlace(
  wanted: Place,
  user: ServerUser,
  folder = sharedFolder,
): Promise<Place> {
  const isDataClosed = (await obstacle(wanted.data, user)) !== null
  const areProgramsClosed = (await obstacle(wanted.programs, user)) !== null
  if (!isDataClosed && !areProgramsClosed) return wanted
  await mkdir(folder, { recursive: true })
  await chmod(folder, 0o711)
  return {
    data: isDataClosed ? join(folder, dataNameOf(wanted.data)) : wanted.data,
    programs: areProgramsClosed ? await copyInto(folder, wanted.programs) : wanted.programs,
  }
}

function dataNameOf(wanted: string): string {
  return `data-${createHash('sha256').update(wanted).digest('hex').slice(0, 16)}`
}

/** One copy for every repository that is installed from the same version of the package. */
async function copyInto(folder: string, programs: string): Promise<string> {
  const manifest = await readFile(join(programs, '../package.json'), 'utf8')
  const { name, version } = Manifest.parse(JSON.parse(manifest))
  const copy = join(folder, `${basename(name)}-${version}`)
  if (existsSync(copy)) return copy
  const draft = `${copy}.${process.pid}`
  await cp(programs, draft, { recursive: true, verbatimSymlinks: true })
  await chmod(draft, 0o755)
  try {
    await rename(draft, copy)
  } catch (error) {
    // Another process was faster.
    await rm(draft, { recursive: true, force: true })
    if (!existsSync(copy)) throw error
  }
  return copy
}
