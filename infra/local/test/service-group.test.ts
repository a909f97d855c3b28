import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { choosePorts, type Ports } from '../src/ports.ts'
import { ServiceGroup } from '../src/service-group.ts'
import { pathOf, temporaryFolder } from './processes.ts'

const file = pathOf('./fixtures/listener.ts')

function groupIn(directory: string): ServiceGroup {
  return new ServiceGroup({ directory, restart: false, report: () => {}, onLine: undefined })
}

test('a port that somebody took in the meantime is given up for another', async () => {
  await using folder = await temporaryFolder()
  const group = groupIn(folder.path)
  const wanted = await choosePorts('free', 1)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(wanted.registry, '127.0.0.1', resolve))
  const programOf = ({ registry }: Ports) => ({ name: 'it', file, args: [String(registry)] })
  const { service, ports } = await group.startOn(wanted, programOf, 0)
  expect(ports.registry).not.toBe(wanted.registry)
  expect(service.child?.ready.port).toBe(ports.registry)
  await group.stop()
  await new Promise((resolve) => server.close(resolve))
})

test('another fault is not tried again', async () => {
  await using folder = await temporaryFolder()
  const group = groupIn(folder.path)
  let tries = 0
  const programOf = () => {
    tries += 1
    return { name: 'it', file: pathOf('./fixtures/child.ts'), args: ['fail'] }
  }
  await expect(group.startOn(await choosePorts('free', 1), programOf, 0)).rejects.toThrow('with 3')
  expect(tries).toBe(1)
  await group.stop()
  await expect(group.start(programOf(), 0)).rejects.toThrow('it was stopped')
})

test('lower ranks end before higher ones', async () => {
  await using folder = await temporaryFolder()
  const group = groupIn(folder.path)
  const child = (name: string) => ({ name, file: pathOf('./fixtures/child.ts') })
  const ended: string[] = []
  for (const [name, rank] of [
    ['last', 3],
    ['first', 0],
    ['second', 1],
  ] as const) {
    const service = await group.start(child(name), rank)
    void service.child?.exited.then(() => ended.push(name))
  }
  await group.stop()
  expect(ended).toEqual(['first', 'second', 'last'])
})

test('asked twice, it asks its processes once: a second signal would end them undrained', async () => {
  await using folder = await temporaryFolder()
  const lines: string[] = []
  const group = new ServiceGroup({
    directory: folder.path,
    restart: false,
    report: () => {},
    onLine: (_name, line) => lines.push(line),
  })
  await group.start({ name: 'it', file: pathOf('./fixtures/child.ts'), args: ['slow'] }, 0)
  const asked = () => lines.filter((line) => line === 'drained').length
  const first = group.stop()
  await expect.poll(asked, { interval: 5 }).toBe(1)
  await Promise.all([first, group.stop()])
  expect(asked()).toBe(1)
})
