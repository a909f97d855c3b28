// An app as a process, for kill.test.ts: makes one call after the other and prints the number of each
// that is stored. Arguments: the registry, its public key, the folder of the store, the first call, all.
import { createClient } from '../../src/core/index.ts'
import { fileStore } from './file-store.ts'
import { callsOf } from './phone-calls.ts'

const [host = '', key = '', folder = '', first = '0', count = '0', seed = ''] =
  process.argv.slice(2)

const client = createClient({
  cdpApiKey: key,
  apiHost: host,
  store: fileStore(folder),
  device: { platform: 'ios', attributes: { device_model: 'a process' } },
  flushAt: 3,
  requestTimeout: 20,
  // A process lives for a tenth of a second: retries have to fit into it.
  engine: { setTimer: (work, ms) => setTimeout(work, ms / 20) },
})
const calls = callsOf(seed, Number(count))
for (let number = Number(first); number < calls.length; number += 1) {
  await calls[number]?.call(client)
  process.stdout.write(`${number}\n`)
}
await client.flush()
process.stdout.write('end\n')
