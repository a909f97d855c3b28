import { parseArgs } from 'node:util'
import { runAttack, shortSections } from './run.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    short: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(`npm run attack -- [options]
  --only TEXT  sections whose name holds it; may be given several times
  --short      the sections that take seconds, as the tests run them
Starts an installation of its own, and takes it away again. Ends with 0 where every attempt held.`)
} else {
  const { failed } = await runAttack({
    only: values.short ? shortSections : (values.only ?? []),
    print: (line) => console.log(line),
  })
  process.exitCode = failed.length === 0 ? 0 : 1
}
