import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { createAuthority, type KeyAndCertificate } from './certificates.ts'
import { Credentials, DEFAULT_APP, IssuedApp } from './credentials.ts'

/** `credentials.json`: the default app's credentials at the top, further apps under `issued`. */
const StoredCredentials = Credentials.extend({ issued: z.array(IssuedApp) })

/** What outlives the process: the CA and every issued app, in files only their owner may read. */
export class State {
  readonly #dir: string | undefined

  constructor(dir: string | undefined) {
    this.#dir = dir
  }

  get caFile(): string | null {
    return this.#dir === undefined ? null : join(this.#dir, 'ca.pem')
  }

  get credentialsFile(): string | null {
    return this.#dir === undefined ? null : join(this.#dir, 'credentials.json')
  }

  /** The CA of earlier runs, or a new one. */
  async authority(): Promise<KeyAndCertificate> {
    if (this.#dir === undefined) return await createAuthority()
    const [certFile, keyFile] = [join(this.#dir, 'ca.pem'), join(this.#dir, 'ca-key.pem')]
    const [cert, key] = await Promise.all([readIfThere(certFile), readIfThere(keyFile)])
    if (cert !== null && key !== null) return { cert, key }
    const authority = await createAuthority()
    await mkdir(this.#dir, { recursive: true, mode: 0o700 })
    await writePrivately(keyFile, authority.key)
    await writePrivately(certFile, authority.cert)
    return authority
  }

  /** The apps of earlier runs, the default one first; empty at the first start. */
  async apps(): Promise<IssuedApp[]> {
    if (this.credentialsFile === null) return []
    const text = await readIfThere(this.credentialsFile)
    if (text === null) return []
    const { issued, ...first } = StoredCredentials.parse(JSON.parse(text))
    return [{ ...first, name: DEFAULT_APP, environment: null }, ...issued]
  }

  /** Writes the apps down. The default one stands at the top even when its keys were revoked. */
  async save(defaultApp: Credentials, apps: IssuedApp[]): Promise<void> {
    if (this.#dir === undefined || this.credentialsFile === null) return
    const stored = {
      apns: defaultApp.apns,
      fcm: defaultApp.fcm,
      issued: apps.filter((app) => app.name !== DEFAULT_APP),
    }
    await mkdir(this.#dir, { recursive: true, mode: 0o700 })
    await writePrivately(this.credentialsFile, `${JSON.stringify(stored, null, 2)}\n`)
  }
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null
    throw cause
  }
}

/** A reader sees the old file or the new one, never half of one. */
async function writePrivately(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 })
  await rename(`${file}.new`, file)
}
