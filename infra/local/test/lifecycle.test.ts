import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { pathsOf } from '../src/directory.ts'
import { readLocal } from '../src/local.ts'
import { collect, isAlive, pathOf, type Ran, runFile, temporaryFolder } from './processes.ts'

const main = pathOf('../src/main.ts')
const stopMain = pathOf('../src/stop.ts')
const startTimeoutMs = 60_000

let directory: string
const start = (...args: string[]): Promise<Ran> => runFile(main, args, environment())
const stop = (): Promise<Ran> => runFile(stopMain, [], environment())

function environment() {
  // Those of whoever runs the tests must not reach the installation.
  return { PUSHKEEP_DIRECTORY: directory, DATABASE_URL: '', REDIS_URL: '', LOG_LEVEL: 'warn' }
}

async function inFolder(work: () => Promise<void>): Promise<void> {
  await using folder = await temporaryFolder()
  directory = join(folder.path, 'data')
  try {
    await work()
  } finally {
    await stop()
  }
}

/** Starts in the foreground and waits until it is ready. */
async function startInForeground(...args: string[]): Promise<ChildProcess> {
  const env = { ...process.env, ...environment() }
  const run = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  foreground.push(run)
  const out = collect(run, 'stdout')
  const err = collect(run, 'stderr')
  const said = () => out() + err()
  await expect.poll(said, { timeout: startTimeoutMs }).toMatch(/^ready$|did not start/m)
  expect(said()).toMatch(/^ready$/m)
  return run
}

const foreground: ChildProcess[] = []
afterEach(() => {
  for (const run of foreground.splice(0)) run.kill('SIGKILL')
})

const exited = (run: ChildProcess) =>
  new Promise<number | null>((resolve) => run.once('exit', resolve))

/** The processes of the run by name; the guarded servers are the second of their name. */
async function processes(): Promise<{ name: string; pid: number }[]> {
  return JSON.parse(await readFile(pathsOf(directory).processes, 'utf8'))
}

async function alive(pids: number[]): Promise<number[]> {
  const states = await Promise.all(pids.map(isAlive))
  return pids.filter((_, index) => states[index])
}

async function workspaces(): Promise<string> {
  const { code, out } = await runFile(pathOf('../bin/pushkeep.js'), ['workspace', 'list'], {
    ...environment(),
  })
  expect(code).toBe(0)
  return out
}

test('a detached run tells its addresses, keeps its data and stops without a trace', async () => {
  await inFolder(async () => {
    const first = await start('--detach')
    expect(first).toMatchObject({ code: 0, err: '' })
    expect(first.out).toMatch(/\nready\n$/)
    expect(first.out).toMatch('Pushes go to the simulator')
    expect(first.out).toMatch('The app is open')
    const local = await readLocal(directory)
    expect((await stat(pathsOf(directory).local)).mode & 0o777).toBe(0o600)
    expect((await stat(pathsOf(directory).secrets)).mode & 0o777).toBe(0o600)
    expect(first.out).toContain(local?.secret_key)
    for (const url of [local?.registry_url, local?.sender_url]) {
      expect((await fetch(`${url}/health/ready`)).status).toBe(200)
    }
    expect(await workspaces()).toBe(`${local?.workspace_id}  local\n`)

    expect(await start('--detach')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/runs already/),
    })
    expect(await start()).toMatchObject({ code: 1, err: expect.stringMatching(/runs already/) })

    const pids = (await processes()).map(({ pid }) => pid)
    expect(await alive(pids)).toEqual(pids)
    expect(await stop()).toMatchObject({ code: 0, out: 'Pushkeep is stopped.\n' })
    expect(await alive(pids)).toEqual([])
    expect(await readLocal(directory)).toBeNull()
    expect(await stop()).toMatchObject({ code: 0, out: 'Pushkeep does not run.\n' })

    expect((await start('--detach')).code).toBe(0)
    const again = await readLocal(directory)
    expect(again?.secret_key).toBe(local?.secret_key)
    expect(again?.app_id).toBe(local?.app_id)
  })
}, 180_000)

test('Ctrl-C ends every process, and the run with 0', async () => {
  await inFolder(async () => {
    const run = await startInForeground('--workers', '2')
    const names = (await processes()).map(({ name }) => name)
    expect(names.toSorted()).toEqual([
      ...['postgres', 'postgres', 'push-sender', 'simulator'],
      ...['token-registry', 'workers', 'workers-2'],
    ])
    const pids = (await processes()).map(({ pid }) => pid)
    const ended = exited(run)
    run.kill('SIGINT')
    expect(await ended).toBe(0)
    expect(await alive(pids)).toEqual([])
  })
}, 120_000)

test('Ctrl-C while it starts leaves nothing, and the next start works', async () => {
  await inFolder(async () => {
    const env = { ...process.env, ...environment() }
    for (const afterMs of [0, 200, 2000]) {
      const run = spawn(process.execPath, [main], { env })
      foreground.push(run)
      const ended = exited(run)
      await expect.poll(collect(run, 'stdout'), { timeout: startTimeoutMs }).toMatch('Starting')
      await new Promise((resolve) => setTimeout(resolve, afterMs))
      const pids = await processes().then(
        (running) => running.map(({ pid }) => pid),
        () => [],
      )
      run.kill('SIGINT')
      expect(await ended).toBe(0)
      expect(await alive(pids)).toEqual([])
    }
    expect((await start('--detach')).code).toBe(0)
  })
}, 120_000)

test('a process that dies is started again, PostgreSQL too, and the services go on', async () => {
  await inFolder(async () => {
    const run = await startInForeground()
    const err = collect(run, 'stderr')
    const local = await readLocal(directory)
    const running = await processes()
    const pidOf = (name: string) => running.findLast((process) => process.name === name)?.pid ?? 0
    for (const name of ['token-registry', 'postgres']) {
      process.kill(pidOf(name), 'SIGKILL')
      await expect.poll(err, { timeout: 30_000 }).toMatch(`${name} runs again`)
      expect(err()).toMatch(`${name} ended with`)
    }
    const health = async () =>
      (await fetch(`${local?.registry_url}/health/ready`).catch(() => null))?.status
    await expect.poll(health, { timeout: 20_000 }).toBe(200)
  })
}, 120_000)

test('what is left of a run that was killed is ended before the next', async () => {
  await inFolder(async () => {
    await start('--detach')
    const left = await processes()
    const pids = left.map(({ pid }) => pid)
    const guard = left.find(({ name }) => name === 'postgres')?.pid ?? 0
    const server = left.findLast(({ name }) => name === 'postgres')?.pid ?? 0
    const [pid = ''] = (await readFile(pathsOf(directory).pid, 'utf8')).split('\n')
    // The guard first, so that nothing is left that would end the server.
    for (const victim of [guard, Number(pid)]) process.kill(victim, 'SIGKILL')
    expect(await isAlive(server)).toBe(true)
    const again = await start('--detach')
    expect(again).toMatchObject({
      code: 0,
      out: expect.stringMatching(/Ended what an earlier run has left: .*postgres/),
    })
    expect(await alive(pids)).toEqual([])
  })
}, 180_000)

test('a run that cannot start says why and leaves nothing', async () => {
  await inFolder(async () => {
    const env = { ...environment(), DATABASE_URL: 'postgres://x:x@127.0.0.1:1/x' }
    const failed = await runFile(main, ['--detach'], env)
    expect(failed).toMatchObject({
      code: 1,
      out: expect.stringMatching(/Pushkeep did not start: .*127\.0\.0\.1:1/),
    })
    expect(await stop()).toMatchObject({ out: 'Pushkeep does not run.\n' })
  })
}, 60_000)

test('an unknown flag ends with 2, --help with 0', async () => {
  await inFolder(async () => {
    expect(await start('--nonsense')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/Usage:/),
    })
    expect(await start('--workers', '0')).toMatchObject({ code: 2 })
    expect(await start('--help')).toMatchObject({ code: 0, out: expect.stringMatching(/--detach/) })
  })
})
