import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChildOptions } from './child.ts'

/** Whether this machine has a `redis-server` that we can start. */
export function hasRedisServer(): boolean {
  return spawnSync('redis-server', ['--version']).status === 0
}

export interface LocalRedisOptions {
  directory: string
  port: number
  password: string
}

/** How a private Redis is run: settings as in production, so that queued jobs survive a restart. */
export async function redisChild(options: LocalRedisOptions): Promise<ChildOptions> {
  const { directory, port, password } = options
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const configFile = join(directory, 'redis.conf')
  const settings = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir "${directory}"`,
    'appendonly yes',
    'maxmemory-policy noeviction',
  ]
  // In a file and not in arguments, which anybody can read.
  await writeFile(configFile, `${settings.join('\n')}\n`, { mode: 0o600 })
  return {
    name: 'redis',
    file: fileURLToPath(new URL('./redis-process.ts', import.meta.url)),
    args: [configFile],
  }
}

/** Connection URL of that Redis. */
export function redisUrl({ port, password }: { port: number; password: string }): string {
  return `redis://:${password}@127.0.0.1:${port}`
}
