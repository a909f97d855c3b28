import { expect, test } from 'vitest'
import { Service } from '../src/service.ts'
import { isAlive, pathOf } from './processes.ts'

const file = pathOf('./fixtures/child.ts')

function serviceOf(args: string[], restart = true) {
  const news: string[] = []
  const service = new Service({
    child: { name: 'child', file, args },
    restart,
    report: (text) => news.push(text),
    onChange: () => {},
  })
  return { service, news }
}

test('a process that dies by itself is reported and started again', async () => {
  const { service, news } = serviceOf([])
  const first = await service.start()
  first.process.kill('SIGKILL')
  await expect.poll(() => news, { timeout: 10_000 }).toHaveLength(2)
  expect(news).toEqual([
    'child ended with SIGKILL; it is started again in 0.5 s',
    'child runs again',
  ])
  const second = service.child
  expect(second?.pid).not.toBe(first.pid)
  await service.stop()
  expect(await isAlive(second?.pid ?? 0)).toBe(false)
  expect(news).toHaveLength(2)
})

test('a process that dies again waits longer', async () => {
  const { service, news } = serviceOf([])
  await service.start()
  for (const length of [2, 4]) {
    service.child?.process.kill('SIGKILL')
    await expect.poll(() => news, { timeout: 10_000 }).toHaveLength(length)
  }
  expect(news[2]).toBe('child ended with SIGKILL; it is started again in 1 s')
  await service.stop()
})

test('stopping calls off a pause before the next start', async () => {
  const { service, news } = serviceOf([])
  await service.start()
  service.child?.process.kill('SIGKILL')
  await expect.poll(() => news).toHaveLength(1)
  await service.stop()
  expect(service.child).toBeNull()
  expect(news).toHaveLength(1)
})

test('without restart, a death is reported and no more', async () => {
  const { service, news } = serviceOf([], false)
  await service.start()
  service.child?.process.kill('SIGKILL')
  await expect.poll(() => news).toEqual(['child ended with SIGKILL'])
  expect(service.child).toBeNull()
  await service.start()
  expect(service.child).not.toBeNull()
  await service.stop()
})

test('a process that does not come up at first is a fault of the caller', async () => {
  const { service } = serviceOf(['fail'])
  await expect(service.start()).rejects.toThrow('child ended with 3 before it was ready')
  await service.stop()
})
