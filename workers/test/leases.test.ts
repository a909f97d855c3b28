import { afterEach, expect, test, vi } from 'vitest'
import { createLeaseKeeper } from '../src/delivery/leases.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('a lease that the database no longer knows as ours is lost', async () => {
  vi.useFakeTimers()
  const keeper = createLeaseKeeper({
    renew: async () => new Set(['1']),
    intervalMs: 100,
    leaseMs: 300,
    now: Date.now,
    onError: () => {},
  })
  const kept = keeper.hold('1', 'a')
  const lost = keeper.hold('2', 'b')
  await vi.advanceTimersByTimeAsync(100)
  expect([kept.isLost, lost.isLost]).toEqual([false, true])
  keeper.stop()
})

test('leases that cannot be renewed for their length are taken for lost', async () => {
  vi.useFakeTimers()
  const keeper = createLeaseKeeper({
    renew: () => Promise.reject(new Error('away')),
    intervalMs: 100,
    leaseMs: 300,
    now: Date.now,
    onError: () => {},
  })
  const lease = keeper.hold('1', 'a')
  await vi.advanceTimersByTimeAsync(300)
  expect(lease.isLost).toBe(false)
  await vi.advanceTimersByTimeAsync(100)
  expect(lease.isLost).toBe(true)
  keeper.stop()
})
