import { localDirectory } from './directory.ts'
import { waitUntilGone } from './identity.ts'
import { releaseDirectory, runningProcess } from './pid-file.ts'
import { endLeftovers } from './processes.ts'

/** Ends the run of this directory, or what one that was killed has left, and waits until it is down. */
const directory = localDirectory(process.env)
const running = await runningProcess(directory)
if (running) {
  process.kill(running.pid, 'SIGTERM')
  // Each rank of processes has twenty seconds before it is killed.
  if (!(await waitUntilGone(running.pid, running.identity, 100_000))) {
    process.kill(running.pid, 'SIGKILL')
    await waitUntilGone(running.pid, running.identity, 5000)
    await releaseDirectory(directory)
  }
}
const leftovers = await endLeftovers(directory)
if (running) console.log('Pushkeep is stopped.')
else if (leftovers.length > 0)
  console.log(`Ended what an earlier run had left: ${leftovers.join(', ')}.`)
else console.log('Pushkeep does not run.')
