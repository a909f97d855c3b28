import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

interface AxeFault {
  id: string
  impact: string
  nodes: { html: string; failureSummary: string }[]
}

const axe = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

// The rows of a table or a list are alike: a few of them are looked at, which is most of the time.
const parts = { exclude: [['tbody tr:nth-child(n+5)'], ['.row:nth-child(n+5)']] }

/**
 * Faults of accessibility that keep somebody from using a page: all of them in light, and in dark
 * those that colours make.
 */
export async function seriousFaults(page: Page): Promise<string[]> {
  // Once a document; its policy lets nothing in that is not evaluated from here.
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(await axe)
  const run = async (options: object): Promise<AxeFault[]> =>
    page.evaluate(
      `axe.run(${JSON.stringify(parts)}, ${JSON.stringify(options)}).then((result) => result.violations)`,
    )
  const inLight = await run({ resultTypes: ['violations'] })
  await page.emulateMedia({ colorScheme: 'dark' })
  const inDark = await run({ resultTypes: ['violations'], runOnly: ['color-contrast'] })
  await page.emulateMedia({ colorScheme: 'light' })
  return [...inLight, ...inDark]
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes: [node] }) => `${id}: ${node?.html} ${node?.failureSummary}`)
}

/** Opens everything that is folded away. */
export async function unfold(page: Page): Promise<void> {
  await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true')
  const deliveries = page.getByRole('button', { name: 'Show them' })
  if (await deliveries.count()) await deliveries.click()
  await page.locator('.waiting').waitFor({ state: 'detached' })
}

/** What the focus is on, by what it says. */
export function focused(page: Page): Promise<string> {
  return page.evaluate('document.activeElement.textContent.trim()')
}
