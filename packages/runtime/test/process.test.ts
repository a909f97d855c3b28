import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const runtime = new URL('../src/index.ts', import.meta.url).href
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pushkeep-process-'))
})

afterAll(() => rm(directory, { recursive: true }))

/** Runs a main; `signals` are sent one after the other once it is ready. */
async function run(start: string, signals: NodeJS.Signals[] = [], options = '') {
  const file = join(directory, `${Math.random()}.ts`)
  await writeFile(
    file,
    `import { runProcess } from '${runtime}'
     await runProcess({ name: 'test', ${options} start: async () => { ${start} } })`,
  )
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  child.stdout.on('data', (chunk) => {
    out += chunk
    if (!out.includes('"ready":true')) return
    for (const signal of signals.splice(0)) child.kill(signal)
  })
  const [code] = await once(child, 'exit')
  return { code, out, errors }
}

const ok = `return { ready: { url: 'http://h' }, stop: async () => console.log('stopped') }`

test('it says that it is ready, drains on SIGTERM and exits with 0', async () => {
  const { code, out } = await run(`setInterval(() => {}, 1000); ${ok}`, ['SIGTERM'])
  expect(JSON.parse(out.split('\n')[0] ?? '')).toEqual({
    ready: true,
    name: 'test',
    url: 'http://h',
  })
  expect(out).toContain('stopped')
  expect(code).toBe(0)
})

test('a start that fails is told on stderr and exits with 1', async () => {
  const { code, errors } = await run(`throw new Error('no database')`)
  expect(errors).toBe('test could not start: no database\n')
  expect(code).toBe(1)
})

test('a stop that hangs ends at the deadline, with 1', async () => {
  const hangs = `setInterval(() => {}, 1000); return { ready: {}, stop: () => new Promise(() => {}) }`
  const { code, errors } = await run(hangs, ['SIGINT'], 'stopTimeoutMs: 100,')
  expect(errors).toContain('did not stop within 100 ms')
  expect(code).toBe(1)
})

test('a second signal exits at once', async () => {
  const hangs = `setInterval(() => {}, 1000); return { ready: {}, stop: () => new Promise(() => {}) }`
  const { code } = await run(hangs, ['SIGTERM', 'SIGINT'])
  expect(code).toBe(1)
})

test('a rejection that nobody handles is told and exits with 1', async () => {
  const { code, errors } = await run(
    `setTimeout(() => Promise.reject(new Error('lost')), 10); setInterval(() => {}, 1000); ${ok}`,
  )
  expect(errors).toContain('"message":"lost"')
  expect(code).toBe(1)
})
