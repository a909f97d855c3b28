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

/** Opens the console's address in a window of its own: the sign-in. */
export async function visit(
  browser: Browser,
  local: Local,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    locale: 'en-GB',
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
  await page.goto(local.console_url)
  return {
    context,
    page,
    faults,
    async open(path) {
      await page.goto(local.console_url + path)
      await page.locator('main h1').waitFor()
      await page.locator('.waiting').waitFor({ state: 'detached' })
    },
    async [Symbol.asyncDispose]() {
      await context.close()
    },
  }
}

type StorageState = Awaited<ReturnType<BrowserContext['storageState']>>

/** Sessions by their keys: signing in is rationed. */
const sessions = new Map<string, StorageState>()

/** Opens the console for whoever has a key: signs in with it, or goes on with the session it has. */
export async function signIn(
  browser: Browser,
  local: Local,
  options: BrowserContextOptions & { key?: string } = {},
): Promise<Visit> {
  const { key = local.secret_key, ...window } = options
  const storageState = sessions.get(key)
  const opened = await visit(browser, local, { ...window, ...(storageState && { storageState }) })
  if (!storageState) {
    await giveKey(opened, key)
    sessions.set(key, await opened.context.storageState())
  }
  await opened.page.getByRole('heading', { name: 'Overview' }).waitFor()
  return opened
}

async function giveKey(opened: Visit, key: string): Promise<void> {
  await opened.page.getByLabel('Secret key').fill(key)
  await opened.page.getByRole('button', { name: 'Sign in' }).click()
  await opened.page.getByRole('heading', { name: 'Overview' }).waitFor()
}
