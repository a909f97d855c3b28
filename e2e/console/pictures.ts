import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readLocal } from '@pushkeep/local-runner'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { chromiumPath, openChromium } from './browser.ts'
import { createDemo } from './demo.ts'
import { openSignedIn } from './visit.ts'

const help = `node e2e/console/pictures.ts DIRECTORY
Fills the local installation of that directory (PUSHKEEP_DIRECTORY) with a demonstration, and makes
the pictures of the console in docs/img/. Start a fresh one for it: what is in it shows.`

const folder = fileURLToPath(new URL('../../docs/img/', import.meta.url))
const [directory] = process.argv.slice(2)
const local = (directory && (await readLocal(directory))) || fail(help)
const chromium = chromiumPath() ?? fail('There is no Chromium here.')
await mkdir(folder, { recursive: true })

const demo = createDemo(local)
const phones = await demo.register(600)
await demo.kill(phones.filter((_, index) => index % 11 === 3))
const sale = await demo.send({ all: true }, { title: 'Autumn sale', body: 'Until Sunday.' })
await demo.done(sale)
await demo.receipts(
  sale,
  phones.filter((_, index) => index % 11 !== 3 && index % 9 !== 4 && index % 5 !== 0),
)
for (const { person } of phones.slice(0, 40)) {
  await demo.send({ person_id: person }, { title: 'Your order is on its way' })
}

const browser = await openChromium(chromium)

function fail(text: string): never {
  console.error(text)
  process.exit(1)
}

interface Picture extends BrowserContextOptions {
  name: string
  path: string
  /** What is done before it is taken. */
  prepare?: (page: Page) => Promise<void>
}

async function take({ name, path, prepare, ...options }: Picture): Promise<void> {
  await using opened = await openSignedIn(browser, local, options)
  await opened.page.goto(local.console_url + path)
  await prepare?.(opened.page)
  // A chart and a table that came with the last answer are drawn.
  await opened.page.waitForLoadState('load')
  await opened.page.waitForTimeout(500)
  await opened.page.screenshot({ path: join(folder, `${name}.png`) })
  console.log(`docs/img/${name}.png`)
}

const live = (page: Page) => page.getByText('live', { exact: true }).waitFor()
const wide = { viewport: { width: 1280, height: 900 } }
const phone = { viewport: { width: 390, height: 844 } }

try {
  await take({ name: 'overview-light', path: '/', prepare: live, ...wide })
  await take({ name: 'message-light', path: `/messages/${sale}`, prepare: live, ...wide })
  await take({
    name: 'person-light',
    path: '/people/dana',
    async prepare(page) {
      await page.getByLabel('Broadcast').selectOption({ index: 1 })
      await page.locator('.traces').waitFor()
    },
    ...wide,
  })
  await take({
    name: 'queues-light',
    path: '/queues',
    prepare: (page) => page.getByText('transactional').first().waitFor(),
    ...wide,
  })
  // Google answers with errors, and Apple calls the topic wrong.
  const refused = { status: { status: 400, reason: 'TopicDisallowed' } }
  await demo.simulator('PUT', '/faults', { apns: refused })
  await demo.send({ all: true }, { title: 'Last day of the sale' })
  const fault = (page: Page) => page.getByText('is paused').first().waitFor()
  const dark = { colorScheme: 'dark' } as const
  await take({ name: 'overview-fault-dark', path: '/', prepare: fault, ...wide, ...dark })
  await take({ name: 'overview-fault-phone', path: '/', prepare: fault, ...phone })
} finally {
  await demo.simulator('DELETE', '/faults')
  await browser.close()
}
