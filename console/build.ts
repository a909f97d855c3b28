import { createHash } from 'node:crypto'
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { builtDirectory } from './built.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** What the pages are made of, besides this folder's own files. */
const sources = [
  'build.ts',
  'src',
  'public',
  'index.html',
  'vite.config.ts',
  'package.json',
  '../package-lock.json',
]

/** Builds the pages, unless they are built from these very sources: safe to call before each start. */
async function buildIfChanged(): Promise<void> {
  const wanted = await digestOfSources()
  const stamp = join(builtDirectory, '.sources')
  const built = await readFile(stamp, 'utf8').catch(() => null)
  if (built === wanted) return
  console.log('Building the console...')
  // Whoever runs us, such as a test runner, may have said otherwise: React for developers is slow.
  process.env.NODE_ENV = 'production'
  // Beside its place, and moved there when it is whole: a server that runs goes on serving.
  const draft = join(folder, `dist.${process.pid}`)
  try {
    await build({ root: folder, logLevel: 'warn', build: { outDir: draft } })
    await writeFile(join(draft, '.sources'), wanted)
    await rm(builtDirectory, { recursive: true, force: true })
    await rename(draft, builtDirectory)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

async function digestOfSources(): Promise<string> {
  const hash = createHash('sha256')
  for (const source of sources) {
    for (const path of await filesUnder(join(folder, source))) {
      hash
        .update(path.slice(folder.length))
        .update('\0')
        .update(await readFile(path))
        .update('\0')
    }
  }
  return hash.digest('hex')
}

async function filesUnder(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => null)
  if (!entries) return [path]
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

await buildIfChanged()
