import { openQueues, prepareQueues, queueNames } from '@pushkeep/queues'
import { createTestDatabase } from '@pushkeep/testkit'
import { expect, test } from 'vitest'

test.each(['workers', 'sender'] as const)('%s add any number of jobs at once', async (program) => {
  await using fixture = await createTestDatabase()
  await prepareQueues({ kind: 'postgres', url: fixture.url })
  const url = await fixture.urlAs(program)
  const queues = openQueues({
    backend: { kind: 'postgres', url, isPrepared: true },
    onError: () => {},
  })
  for (const name of queueNames) {
    const queue = queues.queue(name)
    for (const count of [1, 12, 13, 200]) {
      const rings = Array.from({ length: count }, (_, n) => ({ ref: `${count}${n}`, ring: 1 }))
      await queue.addAll(rings)
    }
    expect(await queue.bull.getWaitingCount(), name).toBeGreaterThan(0)
    await queue.close()
  }
  await queues.close()
})
