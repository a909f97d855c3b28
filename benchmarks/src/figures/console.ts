import { buildConsole, chromiumPath, openChromium } from '@pushkeep/e2e/console/browser.ts'
import { openSignedIn, openWindow } from '@pushkeep/e2e/console/visit.ts'
import { type Ledger, seedLedger } from '../ledger.ts'
import { quantile, type Report } from '../report.ts'
import type { Scene } from '../scene.ts'

export interface ConsoleOptions {
  /** Devices, each of a person; as many broadcasts as make a million deliveries went to all of them. */
  devices: number
  seed: string
}

const deliveries = 1_000_000

/** How the console answers over a million deliveries, and how soon its first page is there. */
export async function consolePages(
  scene: Scene,
  report: Report,
  { devices, seed }: ConsoleOptions,
): Promise<void> {
  const messages = Math.ceil(deliveries / devices)
  const ledger = await seedLedger(scene, { devices, messages, seed })
  const pages = await timePages(scene, ledger)
  const worst = pages.reduce((a, b) => (b.p95Ms > a.p95Ms ? b : a))
  await report.add({
    figure: 'console page at the server, p95',
    value: worst.p95Ms,
    unit: 'ms',
    bar: { most: 300 },
    detail: { slowest: worst.page, deliveries: ledger.deliveries, devices, messages, pages },
  })
  await firstView(scene, report)
}

interface PageTimes {
  page: string
  p50Ms: number
  p95Ms: number
}

const roundsPerPage = 40
// A process that has just started compiles what it runs, and opens its queues and connections.
const warmUpRounds = 5

/** Asks for what each page shows, one after the other, as its script does. */
async function timePages(scene: Scene, ledger: Ledger): Promise<PageTimes[]> {
  const session = await signIn(scene)
  const { messageId, personId } = ledger
  const person = `people/${encodeURIComponent(personId)}`
  const { devices } = await session<{ devices: { app_id: string; fingerprint: string }[] }>(person)
  const [device] = devices
  if (!device) throw new Error('the person has no device')
  const reads: [page: string, path: string, body?: object][] = [
    ['overview', 'overview'],
    ['messages', 'messages'],
    ['broadcasts alone', 'messages?only=bulk'],
    ['message', `messages/${messageId}`],
    ['its deliveries', `messages/${messageId}/deliveries`],
    ['its failed deliveries', `messages/${messageId}/deliveries?status=failed`],
    ['people', 'people/search', { text: '' }],
    ['people by the beginning of an id', 'people/search', { text: personId.slice(0, -2) }],
    ['people, none found', 'people/search', { text: 'nobody at all' }],
    ['person', person],
    ['why', `${person}/why/${messageId}`],
    ['timeline', `apps/${device.app_id}/devices/${device.fingerprint}/timeline`],
    ['apps', 'apps'],
    ['keys', 'keys'],
    ['audit log', 'audit'],
  ]
  const times: PageTimes[] = []
  for (const [page, path, body] of reads) {
    const each: number[] = []
    for (let round = -warmUpRounds; round < roundsPerPage; round += 1) {
      const began = performance.now()
      await session(path, body)
      if (round >= 0) each.push(performance.now() - began)
    }
    each.sort((a, b) => a - b)
    times.push({ page, p50Ms: tenth(quantile(each, 0.5)), p95Ms: tenth(quantile(each, 0.95)) })
  }
  return times
}

/** Opens a session; the function reads what a page of the console reads. */
async function signIn({ local }: Scene) {
  const api = `${local.console_url}/api`
  const headers = { origin: local.sender_url, 'content-type': 'application/json' }
  const answer = await fetch(`${api}/session`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ key: local.secret_key }),
  })
  if (!answer.ok) throw new Error(`signing in: ${answer.status}`)
  const { csrf_token: csrf } = JSON.parse(await answer.text())
  const [cookie = ''] = (answer.headers.get('set-cookie') ?? '').split(';')
  return async <Body>(path: string, body?: object): Promise<Body> => {
    const response = await fetch(`${api}/${path}`, {
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
      headers: { ...headers, cookie, 'x-xsrf-token': csrf },
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return JSON.parse(await response.text())
  }
}

const views = 7

/** From the address to the sentence on the overview, in a browser that has nothing of it yet. */
async function firstView({ local }: Scene, report: Report): Promise<void> {
  const chromium = chromiumPath()
  if (chromium === null) {
    console.warn('There is no Chromium here: the first view is not measured.')
    return
  }
  buildConsole()
  const browser = await openChromium(chromium)
  const times: number[] = []
  try {
    await using signedIn = await openSignedIn(browser, local)
    const storageState = await signedIn.context.storageState()
    // The browser's own start is no part of it.
    for (let view = -1; view < views; view += 1) {
      await using opened = await openWindow(browser, local, { storageState })
      const began = performance.now()
      await opened.page.goto(local.console_url, { waitUntil: 'commit' })
      await opened.page.locator('.headline').waitFor()
      if (view >= 0) times.push(Math.round(performance.now() - began))
    }
  } finally {
    await browser.close()
  }
  const median = quantile(
    times.toSorted((a, b) => a - b),
    0.5,
  )
  const figure = { figure: 'console first view', value: median, unit: 'ms', bar: { most: 1000 } }
  await report.add({ ...figure, detail: { times } })
}

function tenth(ms: number): number {
  return Math.round(ms * 10) / 10
}
