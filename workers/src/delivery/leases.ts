import { randomUUID } from 'node:crypto'

/** A chunk that this worker holds. */
export interface HeldLease {
  chunkNo: string
  lease: string
  /** Somebody else may hold it by now: nothing more of it may be sent. */
  isLost: boolean
}

export interface LeaseKeeperOptions {
  /** Renews; returns the numbers of the chunks that are still ours. */
  renew: (held: readonly { chunkNo: string; lease: string }[]) => Promise<Set<string>>
  /** How often, in milliseconds: well under the lease's length. */
  intervalMs: number
  /** How long a lease lasts without renewal, in milliseconds. */
  leaseMs: number
  now: () => number
  onError: (error: unknown) => void
}

/** Keeps the leases of this worker alive: one statement for all of them, however slow a provider is. */
export function createLeaseKeeper(options: LeaseKeeperOptions) {
  const held = new Set<HeldLease>()
  let renewedAt = options.now()
  let isRenewing = false

  async function renewAll() {
    if (isRenewing) return
    isRenewing = true
    const began = options.now()
    const asked = [...held]
    try {
      if (asked.length > 0) {
        const ours = await options.renew(asked)
        for (const lease of asked) if (!ours.has(lease.chunkNo)) lease.isLost = true
      }
      renewedAt = began
    } catch (error) {
      options.onError(error)
      // The database could not be asked: past the lease's length somebody else may hold them.
      if (options.now() - renewedAt > options.leaseMs) {
        for (const lease of asked) lease.isLost = true
      }
    } finally {
      isRenewing = false
    }
  }

  const timer = setInterval(() => void renewAll(), options.intervalMs)
  return {
    hold(chunkNo: string, lease: string): HeldLease {
      const entry = { chunkNo, lease, isLost: false }
      held.add(entry)
      return entry
    },
    release(lease: HeldLease) {
      held.delete(lease)
    },
    count: () => held.size,
    stop: () => clearInterval(timer),
  }
}

export type LeaseKeeper = ReturnType<typeof createLeaseKeeper>

/** A new fencing token. */
export function newLease(): string {
  return randomUUID()
}
