// An app as a process, for kill.test.ts: makes one call after the other, prints the number of each that
// is stored, and dies during one of them. Arguments: the registry, its public key, the folder of the
// store, the first call, how many there are, their seed, during which to die and how many ms into it.
import { createClient } from '../../src/core/index.ts'
import { fileStore } from './file-store.ts'
import { callsOf } from './phone-calls.ts'

const [host = '', key = '', folder = '', first = '', count = '', seed = '', dieAt = '', ms = ''] =
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
  const stored = calls[number]?.call(client)
  if (number === Number(dieAt)) {
    await new Promise((resolve) => setTimeout(resolve, Number(ms)))
    process.kill(process.pid, 'SIGKILL')
  }
  await stored
  process.stdout.write(`${number}\n`)
}
await client.flush()
process.stdout.write('end\n')
