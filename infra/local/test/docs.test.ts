import { existsSync } from 'node:fs'
import { glob, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { rootDirectory } from '../src/directory.ts'

const isOurs = (path: string) => !path.includes('node_modules') && !path.includes('/build/')

/** Our pages: guides, decisions, runbooks, and the README of each package. */
async function pages(): Promise<string[]> {
  const found = []
  for (const pattern of ['docs/**/*.md', '*.md', '*/*/README.md']) {
    for await (const path of glob(pattern, { cwd: rootDirectory })) found.push(path)
  }
  return found.filter(isOurs).sort()
}

const withoutCode = (text: string) => text.replaceAll(/^```[\s\S]*?^```/gm, '')

/** The names by which headings are linked to, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const headings = withoutCode(text).matchAll(/^#+ +(.+)$/gm)
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

test('each link of a page to a file or a heading of ours leads somewhere', async () => {
  const broken: string[] = []
  const all = await pages()
  expect(all).toContain('docs/operations.md')
  for (const page of all) {
    const text = await readFile(join(rootDirectory, page), 'utf8')
    for (const [, link = ''] of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z][a-z+.-]*:/.test(link)) continue
      const [path = '', anchor] = link.split('#')
      const file =
        path === '' ? join(rootDirectory, page) : join(rootDirectory, dirname(page), path)
      if (!existsSync(file)) broken.push(`${page}: ${link}`)
      else if (anchor && !anchorsOf(await readFile(file, 'utf8')).has(anchor)) {
        broken.push(`${page}: ${relative(rootDirectory, file)} has no heading #${anchor}`)
      }
    }
  }
  expect(broken).toEqual([])
})

test('each decision that a page or a comment names by number is there', async () => {
  const decisions = new Set<string>()
  for await (const path of glob('docs/decisions/*.md', { cwd: rootDirectory })) {
    decisions.add(path.slice('docs/decisions/'.length).slice(0, 4))
  }
  const missing: string[] = []
  for (const pattern of [
    '{packages,services,infra,e2e,workers,console,benchmarks}/**/*.ts',
    '**/*.sql',
  ]) {
    for await (const path of glob(pattern, {
      cwd: rootDirectory,
      exclude: (name) => name === 'node_modules',
    })) {
      if (!isOurs(path)) continue
      const text = await readFile(join(rootDirectory, path), 'utf8')
      for (const [, number = ''] of text.matchAll(/docs\/decisions\/(\d{4})/g)) {
        if (!decisions.has(number)) missing.push(`${path}: ${number}`)
      }
    }
  }
  expect(missing).toEqual([])
})

test('each threat of docs/security.md has an answer, and tests that are there', async () => {
  const text = await readFile(join(rootDirectory, 'docs/security.md'), 'utf8')
  const [, table = ''] = text.split('## Threats and answers')
  const [threats = ''] = table.split('\n## ')
  const rows = threats.split('\n').filter((line) => line.startsWith('| ') && !line.includes('---'))
  expect(rows.length).toBeGreaterThan(30)
  for (const row of rows.slice(1)) {
    const [, threat = '', , answer = '', tests = ''] = row.split('|').map((cell) => cell.trim())
    expect([threat, answer === '']).toEqual([threat, false])
    const files = [...tests.matchAll(/`([^`]+\.ts)`/g)].map(([, file = '']) => file)
    const areTests = files.some((file) => file.endsWith('.test.ts'))
    expect([threat, areTests]).toEqual([threat, true])
    for (const file of files) {
      expect([file, existsSync(join(rootDirectory, file))]).toEqual([file, true])
    }
  }
})
