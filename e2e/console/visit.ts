import type { Local } from '@pushkeep/local-runner'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'

/** A browser window on the console, with everything that went wrong in it. */
export interface Visit extends AsyncDisposable {
  context: BrowserContext
  page: Page
  /** Errors of scripts, refusals of the page's policy, requests to anywhere else. */
  faults: string[]
  /** Opens a page of the console by its path, such as `/messages`, and waits until it is read. */
  open(path: string): Promise<void>
}

/** Opens a window of its own, in which nobody has signed in. */
export async function openWindow(
  browser: Browser,
  local: Local,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    locale: 'en-GB',
    reducedMotion: 'reduce',
    ...options,
  })
  context.setDefaultTimeout(25_000)
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    // That nobody is signed in yet is no fault.
    const isExpected = message.text().includes('401 (Unauthorized)')
    if (message.type() === 'error' && !isExpected) faults.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(local.sender_url)) faults.push(`asked for ${request.url()}`)
  })
  return {
    context,
    page,
    faults,
    async open(path) {
      await page.goto(local.console_url + path, { waitUntil: 'commit' })
      await page.locator('h1').first().waitFor()
      await page.locator('.waiting').waitFor({ state: 'detached' })
    },
    async [Symbol.asyncDispose]() {
      await context.close()
    },
  }
}

/** Opens a window in which somebody has signed in with a key; the sign-in's page is not asked. */
export async function openSignedIn(
  browser: Browser,
  local: Local,
  options: BrowserContextOptions & { key?: string } = {},
): Promise<Visit> {
  const { key = local.installation_key ?? local.secret_key, ...window } = options
  const opened = await openWindow(browser, local, window)
  const answer = await opened.context.request.post(`${local.console_url}/api/session`, {
    headers: { origin: local.sender_url },
    data: { key },
  })
  if (!answer.ok()) throw new Error(`signing in: ${answer.status()} ${await answer.text()}`)
  return opened
}
