import { runServer } from './server-process.ts'

/** A process of its own around a `redis-server`, as there is one around PostgreSQL. */
const [configFile] = process.argv.slice(2)
if (!configFile) throw new Error('it needs the path of a configuration file')

runServer({
  command: 'redis-server',
  args: [configFile],
  stopSignal: 'SIGTERM',
  killSignal: 'SIGKILL',
  isReady: (line) => line.includes('Ready to accept connections'),
})
