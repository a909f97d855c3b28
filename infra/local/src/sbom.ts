import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { rootDirectory } from './directory.ts'

/**
 * Prints, or writes into the file named, what is installed in production: a CycloneDX document that npm makes
 * of package-lock.json, named 1.6: npm writes 1.5, to which 1.6 only adds. The same lock gives the same text: time and serial number, which npm makes up, are
 * left out.
 */
const [file] = process.argv.slice(2)
const made = spawnSync(
  'npm',
  [
    'sbom',
    '--sbom-format',
    'cyclonedx',
    '--sbom-type',
    'application',
    '--package-lock-only',
    '--omit',
    'dev',
  ],
  { cwd: rootDirectory, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
)
if (made.status !== 0) {
  console.error(made.stderr)
  process.exit(1)
}
const { serialNumber: _, metadata, ...document } = JSON.parse(made.stdout)
const { timestamp: __, ...rest } = metadata
const named = { $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json', specVersion: '1.6' }
const text = `${JSON.stringify({ ...document, ...named, metadata: rest }, null, 2)}\n`
if (file === undefined) process.stdout.write(text)
else writeFileSync(file, text)
