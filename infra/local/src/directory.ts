import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const rootDirectory = fileURLToPath(new URL('../../../', import.meta.url))

/** Where a local installation keeps its data: `.pushkeep`, or what `PUSHKEEP_DIRECTORY` names. */
export function localDirectory(env: Record<string, string | undefined>): string {
  return resolve(rootDirectory, env.PUSHKEEP_DIRECTORY || '.pushkeep')
}

/** The files and folders of a local installation. */
export function pathsOf(directory: string) {
  return {
    postgres: join(directory, 'postgres'),
    redis: join(directory, 'redis'),
    simulator: join(directory, 'simulator'),
    outcomes: join(directory, 'outcomes'),
    logs: join(directory, 'logs'),
    startLog: join(directory, 'start.log'),
    local: join(directory, 'local.json'),
    secrets: join(directory, 'secrets.json'),
    processes: join(directory, 'processes.json'),
    pid: join(directory, 'pid'),
  }
}

/** Makes the folder. Others may pass it (PostgreSQL's user has to, under root) but not list it. */
export async function prepareDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  await chmod(directory, 0o711)
}

/** Writes JSON for its owner's eyes only; a reader sees the old file or the new one. */
export async function writePrivateJson(file: string, value: unknown): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
}

/** What a JSON file holds; null where there is no such file. */
export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null
    throw new Error(`${file} cannot be read`, { cause })
  }
}
