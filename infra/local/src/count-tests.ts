import { z } from 'zod'
import { readJson } from './directory.ts'

/** What we use of the report that vitest writes as JSON. */
const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(
    z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) }),
  ),
})

/**
 * Prints how many tests passed, failed and were skipped. A file that could not be loaded counts as
 * one that failed, and so does a run that failed although no test did, or that left no report.
 */
const [file = '', status = '1'] = process.argv.slice(2)
const report = Report.safeParse(await readJson(file).catch(() => null)).data
if (report) {
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  )
  const failed = report.numFailedTests + brokenFiles.length
  const skipped = report.numPendingTests + report.numTodoTests
  console.log(report.numPassedTests, failed || Number(status !== '0'), skipped)
} else {
  console.log(0, 1, 0)
}
