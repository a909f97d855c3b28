import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@pushkeep/local-runner'

export interface TestRedis {
  url: string
  /** How it came: a container, or a private `redis-server`. */
  by: 'container' | 'process'
  stop(): Promise<void>
}

/**
 * A private Redis as production has it (append-only file, `noeviction`): through testcontainers
 * where a Docker engine answers, else a `redis-server` of this machine; null where there is neither.
 */
export async function startRedis(directory: string): Promise<TestRedis | null> {
  const isDockerUp = spawnSync('docker', ['info'], { timeout: 5000 }).status === 0
  return (isDockerUp ? await startContainer() : null) ?? startProcess(directory)
}

async function startContainer(): Promise<TestRedis | null> {
  try {
    const { GenericContainer } = await import('testcontainers')
    const container = await new GenericContainer('redis:7')
      .withCommand(['redis-server', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction'])
      .withExposedPorts(6379)
      .withStartupTimeout(60_000)
      .start()
    return {
      url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
      by: 'container',
      stop: async () => void (await container.stop()),
    }
  } catch (error) {
    // An engine without the image and without a way to fetch it.
    console.warn(`no Redis container: ${error instanceof Error ? error.message : error}`)
    return null
  }
}

async function startProcess(directory: string): Promise<TestRedis | null> {
  if (spawnSync('redis-server', ['--version']).status !== 0) return null
  const port = await freePort()
  const data = join(directory, 'redis')
  await mkdir(data, { recursive: true })
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', data, '--appendonly', 'yes'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await ready(child)
  return {
    url: `redis://127.0.0.1:${port}`,
    by: 'process',
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve())
        child.kill('SIGTERM')
      }),
  }
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)))
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.includes('Ready to accept connections')) resolve()
    })
  })
}
