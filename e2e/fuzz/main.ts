import { parseArgs } from 'node:util'
import { type FuzzResult, runFuzz } from './run.ts'
import { tableOf } from './tally.ts'
import { openTarget } from './target.ts'

const help = `npm run fuzz -- [options]
  --count N    requests (default 20000)
  --seed TEXT  determines every request; printed, a new one each time if left out
  --only TEXT  operations with this text in "service METHOD /path"
  --case N     one case of the seed alone, as a failure names it
Starts an installation of its own, and takes it away again.`

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' },
    case: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new Error(`--${name} takes a whole number`)
}

function print(seed: string, result: FuzzResult): void {
  // The operations to choose from are a part of what a case is.
  const onlyFlag = values.only === undefined ? '' : ` --only '${values.only}'`
  const { failures, faults, rows, requests, seconds, slowestMs, ok } = result
  console.log(`\n${tableOf(rows)}\n`)
  for (const { number, operation, what, faults: own, reproduction } of failures) {
    console.log(`FAILED ${operation}: ${what}: ${own.join('; ')}`)
    console.log(`  npm run fuzz -- --seed ${seed} --case ${number}${onlyFlag}`)
    console.log(`${reproduction.replaceAll(/^/gm, '    ')}\n`)
  }
  for (const fault of faults) console.log(`FAILED ${fault}`)
  const operations = rows.filter((row) => row.requests > 0).length
  console.log(
    `fuzz: seed ${seed}, ${requests} requests to ${operations} operations in ${Math.round(seconds)} s ` +
      `(${Math.round(requests / seconds)}/s, slowest ${Math.round(slowestMs)} ms), ` +
      `${failures.length + faults.length} failures: ${ok ? 'passed' : 'FAILED'}`,
  )
}

if (values.help) {
  console.log(help)
} else {
  const { seed, only } = values
  const count = wholeNumber('count', values.count)
  const single = values.case === undefined ? undefined : wholeNumber('case', values.case)
  console.log(
    `fuzz: seed ${seed}, ${single === undefined ? `${count} requests` : `case ${single}`}`,
  )
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  await using target = await openTarget({ seed })
  const result = await runFuzz({
    target,
    seed,
    count,
    only,
    case: single,
    slow: true,
    signal: stop.signal,
    onProgress: (done) => {
      if (process.stdout.isTTY) process.stdout.write(`\r${done} of ${count}`)
    },
  })
  print(seed, result)
  process.exitCode = result.ok ? 0 : 1
}
