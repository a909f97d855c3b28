import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { startChild } from '../src/child.ts'
import { collect, isAlive, pathOf } from './processes.ts'

const file = pathOf('./fixtures/child.ts')

test('a child is ready once it says so, and drains when it is stopped', async () => {
  const lines: string[] = []
  const child = await startChild({ name: 'child', file, onLine: (line) => lines.push(line) })
  expect(child.ready).toEqual({ ready: true, pid: child.pid })
  await child.stop()
  expect(await child.exited).toBe(0)
  await expect.poll(() => lines).toContain('drained')
})

test('a child that does not stop within the deadline is killed', async () => {
  const child = await startChild({ name: 'child', file, args: ['deaf'] })
  await child.stop(100)
  expect(await child.exited).toBe('SIGKILL')
})

test('a child that ends before it is ready tells its last lines', async () => {
  const started = startChild({ name: 'child', file, args: ['fail'] })
  await expect(started).rejects.toThrow(/^child ended with 3 before it was ready\nthe reason why$/)
})

test('a child that is never ready is ended', async () => {
  const started = startChild({ name: 'child', file, args: ['silent'], readyTimeoutMs: 500 })
  await expect(started).rejects.toThrow('child was not ready in time')
})

test('a start that is called off ends the child', async () => {
  const signal = AbortSignal.timeout(500)
  const started = startChild({ name: 'child', file, args: ['silent'], signal })
  await expect(started).rejects.toThrow('child was stopped before it was ready')
})

test('a child ends when the process that started it is killed', async () => {
  const parent = spawn(process.execPath, [pathOf('./fixtures/parent.ts')])
  const out = collect(parent, 'stdout')
  await expect.poll(out, { timeout: 10_000 }).toMatch(/^\d+\n$/)
  const pid = Number(out())
  expect(await isAlive(pid)).toBe(true)
  parent.kill('SIGKILL')
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
})
