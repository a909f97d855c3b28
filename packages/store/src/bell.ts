import { connect } from './connect.ts'
import { doorbellChannel } from './outbox.ts'

export interface BellOptions {
  url: string
  /** Shown in `pg_stat_activity`. */
  name: string
  onError: (error: unknown) => void
}

/** Tells relays that doorbells are there; without it they find them by looking, a second later. */
export interface Bell {
  /** Say it after the doorbell is committed. */
  ring(): void
  stop(): Promise<void>
}

/**
 * A bell with a connection of its own. PostgreSQL commits transactions that notify one after the other,
 * each waiting for the disk: a statement that stores a message must not be one of them. This one has
 * nothing to store and waits for nothing; what is rung while it runs is told by the next, together.
 */
export function createBell({ url, name, onError }: BellOptions): Bell {
  const database = connect({
    url,
    name,
    connectionsMax: 1,
    settings: { synchronous_commit: 'off' },
    onError,
  })
  let isAwaited = false
  let ringing: Promise<void> | null = null

  async function run() {
    while (isAwaited) {
      isAwaited = false
      await database.query(`notify ${doorbellChannel}`).catch(onError)
    }
    ringing = null
  }

  return {
    ring() {
      isAwaited = true
      ringing ??= run()
    },
    async stop() {
      await ringing
      await database.end()
    },
  }
}
