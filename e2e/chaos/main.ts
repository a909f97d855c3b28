import { parseArgs } from 'node:util'
import type { RunOptions } from './options.ts'
import { runChaos } from './run.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    backend: { type: 'string', default: 'redis' },
    only: { type: 'string', multiple: true },
    short: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  console.log(`npm run chaos -- [options]
  --seed N         determines the order of faults and the load (default: drawn, and printed)
  --backend NAME   redis (default) or postgres: where the queues live
  --only TEXT      scenes whose name holds it; may be given several times
  --short          one scene with a few faults of nearly every kind
One line a figure; ends with 0 where every figure is as it must be.`)
} else {
  const options: RunOptions = {
    seed: values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed),
    backend: values.backend === 'postgres' ? 'postgres' : 'redis',
    only: values.only ?? [],
    isShort: values.short,
    print: (line) => console.log(line),
  }
  process.exitCode = (await runChaos(options)) ? 0 : 1
}
