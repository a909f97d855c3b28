import { readFlags } from './flags.ts'
import { startSimulator } from './simulator.ts'

try {
  const simulator = await startSimulator(readFlags(process.argv.slice(2)))
  const ready = {
    ready: true,
    urls: simulator.urls,
    ca_file: simulator.caFile,
    credentials_file: simulator.credentialsFile,
  }
  process.stdout.write(`${JSON.stringify(ready)}\n`)
  const stop = () => void simulator.close()
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
} catch (cause) {
  process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`)
  process.exitCode = 1
}
