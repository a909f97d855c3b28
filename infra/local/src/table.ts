import { relative } from 'node:path'
import { pathsOf } from './directory.ts'
import type { LocalRun } from './start-local.ts'

/** What one needs to know of a run: addresses, keys, and where the pushes go. */
export function tableOf({ local, redisUrl }: LocalRun, directory: string): string {
  const { local: file, logs } = pathsOf(directory)
  const rows = [
    ['token registry', local.registry_url, 'people and devices; API at /docs'],
    ['push sender', local.sender_url, 'messages; API at /docs'],
    ['queue dashboard', local.dashboard_url, ''],
    ['simulator', local.simulator_url, 'stands in for APNs and FCM'],
    ['workspace', local.workspace_id, ''],
    ['app', local.app_id, ''],
    ['secret key', local.secret_key, 'for servers'],
    ['public key', local.public_key, 'for mobile apps'],
  ]
  const lines = rows.map(([name = '', value = '', note = '']) =>
    `  ${name.padEnd(16)} ${value.padEnd(note === '' ? 0 : 38)} ${note}`.trimEnd(),
  )
  return [
    '',
    ...lines,
    '',
    'Pushes go to the simulator: none reaches Apple, Google or a phone.',
    `Queues: ${redisUrl === null ? 'in PostgreSQL' : 'on Redis'}.` +
      ` All of this is in ${relative(process.cwd(), file)}, logs in ${relative(process.cwd(), logs)}.`,
    './scripts/stop ends it.',
    '',
  ].join('\n')
}
