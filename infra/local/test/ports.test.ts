import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { choosePorts, freePort, freePorts } from '../src/ports.ts'

test('a free port is taken as wanted, another one where it is in use', async () => {
  const wanted = await freePort()
  expect(await freePort(wanted)).toBe(wanted)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve))
  expect(await freePort(wanted)).not.toBe(wanted)
  await new Promise((resolve) => server.close(resolve))
})

test('ports that are asked for together differ', async () => {
  const same = await freePort()
  const ports = await freePorts([same, same, 0, 0])
  expect(ports[0]).toBe(same)
  expect(new Set(ports).size).toBe(4)
})

test('each process of workers has a port of its own', async () => {
  const { workers, registry, redis } = await choosePorts('free', 3)
  expect(new Set([...workers, registry, redis]).size).toBe(5)
})
