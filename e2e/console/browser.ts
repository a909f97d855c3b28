import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'

const ensure = fileURLToPath(new URL('../../infra/local/ensure-chromium.sh', import.meta.url))
const build = fileURLToPath(new URL('../../console/build.ts', import.meta.url))

/** Where this machine's Chromium is, installed if that needs no question; null: there is none. */
export function chromiumPath(): string | null {
  try {
    const [path = ''] = execFileSync(ensure, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
      .trim()
      .split('\n')
    return path === '' ? null : path
  } catch {
    return null
  }
}

/** Builds the console's pages where they are older than their sources. */
export function buildConsole(): void {
  execFileSync(process.execPath, [build], { stdio: 'inherit' })
}

/** Opens a Chromium that speaks with nobody but the pages it is told to open. */
export function openChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      // As root, and in a container, it has no sandbox to go into; it opens our own pages alone.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
    ],
  })
}
