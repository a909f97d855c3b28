import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pathOf, runFile, temporaryFolder } from './processes.ts'

interface TestFile {
  status: string
  assertionResults: { status: string }[]
}

async function count(report: unknown, status: number): Promise<string> {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'vitest.json')
  if (report !== null) await writeFile(file, JSON.stringify(report))
  const { code, out } = await runFile(pathOf('../src/count-tests.ts'), [file, String(status)])
  expect(code).toBe(0)
  return out.trim()
}

function reportOf(passed: number, failed: number, testResults: TestFile[]) {
  return {
    ...{ numPassedTests: passed, numFailedTests: failed, numPendingTests: 1, numTodoTests: 1 },
    testResults,
  }
}

const broken = { status: 'failed', assertionResults: [] }
const failing = { status: 'failed', assertionResults: [{ status: 'failed' }] }

test.each([
  ['passed, failed and skipped tests', reportOf(5, 1, [failing]), 1, '5 1 2'],
  ['a file that could not be loaded', reportOf(5, 0, [broken]), 1, '5 1 2'],
  ['a run that failed although no test did', reportOf(5, 0, []), 1, '5 1 2'],
  ['a run without a fault', reportOf(5, 0, []), 0, '5 0 2'],
  ['no report', null, 137, '0 1 0'],
  ['half a report', { numPassedTests: 3 }, 1, '0 1 0'],
])('%s', async (_case, report, status, sum) => {
  expect(await count(report, status)).toBe(sum)
})
