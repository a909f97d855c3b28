import { relative } from 'node:path'
import { pathsOf } from './directory.ts'
import type { LocalRun } from './start-local.ts'

const openApp = 'The app is open: its public key names any person without an identity token.'

/** What one needs to know of a run: addresses, keys, and where the pushes go. */
export function tableOf(run: LocalRun, directory: string): string {
  const { local, redisUrl } = run
  const { local: file, logs } = pathsOf(directory)
  const rows = [
    ['token registry', local.registry_url, 'people and devices; API at /docs'],
    ['push sender', local.sender_url, 'messages; API at /docs'],
    ['console', local.console_url, 'what operations see; sign in with the operator key'],
    ['metrics', local.metrics_urls.join(' '), ''],
    ['simulator', local.simulator_url, 'stands in for APNs and FCM'],
    ['workspace', local.workspace_id, ''],
    ['app', local.app_id, ''],
    ['secret key', local.secret_key, 'for servers'],
    ['public key', local.public_key, 'for mobile apps'],
    ['operator key', local.installation_key ?? '', 'for the console, the queues, log levels'],
  ]
  const lines = rows.map(([name = '', value = '', note = '']) =>
    `  ${name.padEnd(16)} ${value.padEnd(note === '' ? 0 : 38)} ${note}`.trimEnd(),
  )
  return [
    '',
    ...lines,
    '',
    ...(run.isOpen ? [openApp] : []),
    'Pushes go to the simulator: none reaches Apple, Google or a phone.',
    `Queues: ${redisUrl === null ? 'in PostgreSQL' : 'on Redis'}.` +
      ` All of this is in ${shortened(file)}, logs in ${shortened(logs)}.`,
    ...placeOf(run, directory),
    './scripts/stop ends it.',
    '',
  ].join('\n')
}

/** As somebody here would type it. */
function shortened(path: string): string {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}

/** Where the data is, if not in the directory: root's folders may be closed to PostgreSQL's user. */
function placeOf({ postgres }: LocalRun, directory: string): string[] {
  const place = postgres?.child?.ready.data_directory
  if (typeof place !== 'string' || place === pathsOf(directory).postgres) return []
  return [
    `PostgreSQL does not run as root, and its user may not enter here: its data is in ${place}.`,
  ]
}
