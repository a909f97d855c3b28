import { gzipSync } from 'node:zlib'
import { openQueues } from '@pushkeep/queues'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { focused, seriousFaults, unfold } from '../console/accessibility.ts'
import { buildConsole, chromiumPath, openChromium } from '../console/browser.ts'
import { createDemo, type Demo, type Phone } from '../console/demo.ts'
import { openSignedIn, openWindow, type Visit } from '../console/visit.ts'
import { type System, startSystem } from './system.ts'

const chromium = chromiumPath()
if (chromium === null) {
  console.warn('There is no Chromium here: the console is not tried in a browser.')
}

let system: System
let demo: Demo
let phones: Phone[]
let browser: Browser
let broadcast: string
/** The window of somebody who may do everything; tests go on in it, one after the other. */
let desk: Visit
let page: Page

describe.skipIf(chromium === null)('the console in a browser', () => {
  beforeAll(async () => {
    buildConsole()
    system = await startSystem()
    demo = createDemo(system.local)
    phones = await demo.register(120)
    await demo.kill(phones.filter((_, index) => index % 11 === 3))
    broadcast = await demo.send({ all: true }, { title: 'Autumn sale', body: 'Until Sunday.' })
    await demo.done(broadcast)
    await demo.receipts(broadcast, phones.slice(0, 3))
    browser = await openChromium(chromium ?? '')
    desk = await openSignedIn(browser, system.local)
    page = desk.page
  }, 120_000)
  afterEach(() => {
    expect(desk.faults.splice(0)).toEqual([])
  })
  afterAll(async () => {
    await browser?.close()
    await system?.[Symbol.asyncDispose]()
  })

  test('signing in: a wrong key is refused in words, a right one opens the overview, signing out ends it', async () => {
    await using visitor = await openWindow(browser, system.local)
    const { page, context } = visitor
    await visitor.open('/')
    expect(await seriousFaults(page)).toEqual([])
    const field = page.getByLabel('Secret key')
    await field.fill('sk_0123456789abcdef0123456789')
    await field.press('Enter')
    await page.getByText('There is no such key, or it is revoked.').waitFor()
    await field.fill(system.local.secret_key)
    await field.press('Enter')
    await page.getByText(/Push is working/).waitFor()
    const [cookie] = await context.cookies(`${system.local.console_url}/api/session`)
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/ops' })
    expect(await page.evaluate('document.cookie')).toBe('')

    const signOut = page.getByRole('button', { name: 'Sign out' })
    await context.setOffline(true)
    await signOut.click()
    await page.getByText('You are still signed in').waitFor()
    await context.setOffline(false)
    await signOut.click()
    await field.waitFor()
    await visitor.open('/messages')
    await field.waitFor()
    expect(visitor.faults.filter((fault) => !fault.includes('ERR_INTERNET_DISCONNECTED'))).toEqual(
      [],
    )
  })

  test('support finds a person by the beginning of their id and sees why they got nothing', async () => {
    await desk.open('/')
    await page.getByRole('link', { name: 'People' }).click()
    await page.getByLabel('Find a person').fill('dana')
    await page.getByRole('link', { name: 'dana', exact: true }).click()
    await page.getByText('A push would not reach their device.').waitFor()
    await page.getByText('The token is dead').waitFor()
    await page.getByText('It comes back by itself when the app is opened').waitFor()
    await page.getByLabel('Broadcast').selectOption({ index: 1 })
    const why = page.getByRole('region', { name: 'Why did they (not) get a message?' })
    await why.getByText('bounced', { exact: true }).waitFor()
    await page.getByText('Timeline').click()
    await page.getByText('The provider called the token dead').waitFor()
    const token = phones.find(({ person }) => person === 'dana')?.token ?? ''
    expect(await page.content()).not.toContain(token)
    expect(page.url()).not.toContain('?')
  })

  test('a person is found whatever letters their id has, and a page that breaks says so', async () => {
    for (const id of ['50% off/ä?#&+', '%2F']) {
      await system.registry('PUT', `/v1/people/${encodeURIComponent(id)}`, { attributes: {} })
      await desk.open('/people')
      await page.getByLabel('Find a person').fill(id)
      await page.getByRole('link', { name: id, exact: true }).click()
      await page.getByRole('heading', { name: id, exact: true }).waitFor()
      await page.getByText('no device is registered').waitFor()
      await desk.open(`/people/${encodeURIComponent(id)}`)
      await page.getByRole('heading', { name: id, exact: true }).waitFor()
    }
    // What a release leaves to a page that was open before it: scripts that are gone.
    await desk.context.route('**/assets/audit-*.js', (route) => route.fulfill({ status: 404 }))
    await page.getByRole('link', { name: 'Audit log' }).click()
    await page.getByText('This page could not be shown.').waitFor()
    await desk.context.unroute('**/assets/audit-*.js')
    await page.getByRole('button', { name: 'Load it again' }).click()
    await page.getByRole('heading', { name: 'Audit log' }).waitFor()
    desk.faults.splice(0)
  })

  test('a test push is sent to one phone, and the page says what became of it', async () => {
    await desk.open('/people/ana')
    await page.getByRole('button', { name: 'Send a test push' }).click()
    await page.getByLabel('Title').fill('Are you there?')
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await page.getByText('The provider accepted it.').waitFor()
    const { body: received } = await system.simulator('GET', '/received?limit=1000&payload=1')
    const [push] = received.filter(({ token }: Phone) => token === phones[0]?.token).toReversed()
    expect(JSON.stringify(push)).toContain('Are you there?')
    await page.getByRole('link', { name: 'Open the message' }).click()
    await page.getByRole('heading', { name: 'Are you there?' }).waitFor()
  })

  test('a scheduled broadcast is sent now and watched: the page moves by itself', async () => {
    // Apple answers long after Google, so that the page is seen between the two, also on a busy machine.
    await system.simulator('PUT', '/faults', { apns: { delay_ms: 6000 } })
    const { body: scheduled } = await system.sender('POST', '/v1/messages', {
      to: { all: true },
      content: { title: 'Slow news' },
      send_at: new Date(Date.now() + 3_600_000).toISOString(),
    })
    await desk.open(`/messages/${scheduled.id}`)
    const funnel = page.getByRole('region', { name: 'From accepted to opened' })
    const sent = funnel.locator('li.sent .funnel-value strong').first()
    const seen = [Number(await sent.textContent())]
    await page.getByRole('button', { name: 'Send it now…' }).click()
    await page.getByRole('button', { name: 'Send it now', exact: true }).click()
    await expect
      .poll(
        async () => {
          seen.push(Number(await sent.textContent()))
          return page.getByText('done', { exact: true }).count()
        },
        { timeout: 30_000, interval: 100 },
      )
      .toBe(1)
    expect(new Set(seen).size).toBeGreaterThan(2)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    await page.getByText('live', { exact: true }).waitFor()
    await page.getByText(/token_dead/).waitFor()
    await system.simulator('DELETE', '/faults')
  })

  test('a scheduled message is cancelled from its page', async () => {
    const send_at = new Date(Date.now() + 3_600_000).toISOString()
    const { body } = await system.sender('POST', '/v1/messages', {
      to: { all: true },
      content: { title: 'Tomorrow' },
      send_at,
    })
    await desk.open('/')
    await page.getByRole('link', { name: 'Messages' }).click()
    await page.getByText('Scheduled', { exact: true }).click()
    await page.getByRole('link', { name: 'Tomorrow' }).click()
    await page.getByRole('button', { name: 'Cancel it…' }).click()
    await page.getByRole('button', { name: 'Cancel the message' }).click()
    await page.getByText('cancelled', { exact: true }).waitFor()
    const { body: message } = await system.sender('GET', `/v1/messages/${body.id}`)
    expect(message.cancelled_at).toEqual(expect.any(String))
  })

  test('a failed job is retried from the queue dashboard, by whoever may', async () => {
    const queues = openQueues({
      backend: { kind: 'postgres', url: system.local.database_url },
      onError: () => {},
    })
    const plan = queues.queue('plan')
    const job = await plan.bull.add('plan', { ref: 'no number' }, { jobId: 'broken' })
    await expect.poll(() => job.getState(), { timeout: 20_000 }).toBe('failed')
    const failedAt = async () => (await plan.bull.getJob('broken'))?.finishedOn ?? 0
    const before = await failedAt()

    await desk.open('/')
    await page.getByRole('link', { name: 'Queues' }).click()
    await page.getByRole('link', { name: 'plan' }).first().click()
    await page
      .getByRole('link', { name: /failed/i })
      .first()
      .click()
    await page.getByRole('button', { name: 'Retry all' }).click()
    await page.getByRole('button', { name: 'Confirm' }).click()
    await expect.poll(failedAt, { timeout: 20_000 }).toBeGreaterThan(before)
    await desk.open('/audit')
    await page.getByText('retried failed jobs').waitFor()
    await plan.bull.obliterate({ force: true })
    await plan.close()
    await queues.close()
  })

  test('a credential is rotated: a wrong one is refused and changes nothing, a right one is in use', async () => {
    const { body: issued } = await system.simulator('POST', '/credentials', {
      name: 'next',
      topic: 'com.example.next',
      project_id: 'next-project',
    })
    const { teamId, keyId, topic, privateKeyPem } = issued.apns
    await desk.open('/')
    await page.getByRole('link', { name: 'Apps' }).click()
    await page.getByRole('button', { name: 'Check with the provider' }).first().click()
    await page.getByText('The provider takes them.').waitFor()

    async function replace(bundleId: string) {
      await page.getByRole('button', { name: 'Replace…' }).first().click()
      expect(await seriousFaults(page)).toEqual([])
      await page.getByLabel('Key file (.p8)').setInputFiles({
        name: `AuthKey_${keyId}.p8`,
        mimeType: 'text/plain',
        buffer: Buffer.from(privateKeyPem),
      })
      await expect.poll(() => page.getByLabel('Key id').inputValue()).toBe(keyId)
      await page.getByLabel('Team id').fill(teamId)
      await page.getByLabel('Bundle id').fill(bundleId)
      await page.getByRole('button', { name: 'Check and store' }).click()
    }
    const dialog = page.getByRole('dialog')
    await replace('com.example.wrong')
    await dialog.getByText('The provider refuses them. The old ones stay in use.').waitFor()
    await dialog.getByRole('button', { name: 'Close' }).last().click()
    await replace(topic)
    await dialog.getByText('The provider takes the new ones: they are in use.').waitFor()
    await dialog.getByRole('button', { name: 'Close' }).last().click()
    await page.getByText(topic).waitFor()
    expect(await page.content()).not.toContain(privateKeyPem.split('\n')[1])

    const id = await demo.send({ person_id: 'ana' }, { title: 'With the new key' })
    await demo.done(id)
    const { body: message } = await system.sender('GET', `/v1/messages/${id}`)
    expect(message.counts).toMatchObject({ sent: 1 })
    await desk.open('/audit')
    await page.getByText('replaced credentials', { exact: true }).first().waitFor()
    await page.getByText('tried to replace credentials').first().waitFor()
  })

  test('a key is made and seen once; with it one reads, and its end is the end of the session', async () => {
    await desk.open('/')
    await page.getByRole('link', { name: 'Keys' }).click()
    await page.getByRole('button', { name: 'Create a key…' }).click()
    await page.getByLabel('Name').fill('support')
    await page.getByLabel('What it may do').selectOption('read')
    await page.getByRole('button', { name: 'Create', exact: true }).click()
    const key = (await page.locator('.secret code').textContent()) ?? ''
    await page.getByRole('button', { name: 'I have it' }).click()
    expect(await page.content()).not.toContain(key)

    await using reader = await openSignedIn(browser, system.local, { key })
    await reader.open('/people/ana')
    await reader.page.getByText('A push would be sent to their device.').waitFor()
    expect(await reader.page.getByRole('button', { name: 'Send a test push' }).count()).toBe(0)
    await reader.open('/keys')
    expect(await reader.page.getByRole('button', { name: /Revoke/ }).count()).toBe(0)

    await page.getByRole('button', { name: 'Revoke support' }).click()
    await page.getByRole('button', { name: 'Revoke', exact: true }).click()
    await page.getByText('support is revoked.').waitFor()
    await reader.page.getByRole('link', { name: 'Messages' }).click()
    await reader.page.getByLabel('Secret key').waitFor()
    expect(reader.faults).toEqual([])
  })

  test('by keyboard alone: past the menu to the content, into a dialog and out of it', async () => {
    await desk.open('/people/ana')
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Skip to content')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Suppress all pushes')
    await page.keyboard.press('Tab')
    expect(await focused(page)).toBe('Send a test push')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await focused(page)).toBe('Send a test push')
  })

  test.each([
    '/',
    '/messages',
    '/messages/:id',
    '/people',
    '/people/dana',
    '/apps',
    '/keys',
    '/audit',
    '/nothing',
  ])(
    '%s: axe finds no serious fault in light or dark, and it is no wider than a phone',
    async (path) => {
      await desk.open(path.replace(':id', broadcast))
      await unfold(page)
      expect(await seriousFaults(page)).toEqual([])
      await onPhone(async (width) => {
        await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBe(width)
      })
      // What the document's own 404 says in the browser's console.
      if (path === '/nothing') desk.faults.splice(0)
    },
  )

  test('on a phone the menu opens and leads to a page', async () => {
    await desk.open('/messages')
    await onPhone(async () => {
      await page.getByRole('button', { name: 'Menu' }).click()
      await page.getByRole('link', { name: 'Keys' }).click()
      await page.getByRole('heading', { name: 'Keys' }).waitFor()
    })
  })

  test('a first view is less than 200 kB of script', async () => {
    // A window of its own has nothing in its cache.
    await using fresh = await openSignedIn(browser, system.local)
    const scripts: Promise<number>[] = []
    fresh.page.on('response', (response) => {
      if (response.request().resourceType() !== 'script') return
      scripts.push(response.body().then((body) => gzipSync(body).length))
    })
    await fresh.open('/')
    await fresh.page.locator('.headline').waitFor()
    const sizes = await Promise.all(scripts)
    expect(sizes.length).toBeGreaterThan(0)
    expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(200_000)
  })

  test('while the server is away a page says so and what to do, and goes on when it is back', async () => {
    const { context } = desk
    await context.route('**/ops/api/**', (route) => route.abort())
    await page.reload()
    await page.getByText('The server cannot be reached.').waitFor()
    await page.getByText('Is the push sender running?').waitFor()
    await context.unroute('**/ops/api/**')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('heading', { name: 'Keys' }).waitFor()
    // That requests failed is what the test is about.
    desk.faults.splice(0)
  })
})

/** Looks at the page on the screen of a small phone. */
async function onPhone(look: (width: number) => Promise<void>): Promise<void> {
  const before = page.viewportSize() ?? { width: 1280, height: 860 }
  await page.setViewportSize({ width: 360, height: 740 })
  try {
    await look(360)
  } finally {
    await page.setViewportSize(before)
  }
}
