import { type Actor, audit, type Database, installationNo, inWorkspaces } from '@pushkeep/store'

/** A call that was refused, or a try to sign in that failed. */
export interface Attempt {
  /** null: there is no such key. */
  actor: Actor | null
  address: string
  action: 'access.refused' | 'session.refused'
  /** The problem's code. */
  code: string
}

export type NoteAttempt = (attempt: Attempt) => void

export interface AttemptLogOptions {
  database: Database
  onError: (error: unknown) => void
  /** How long attempts of one kind are counted together, in milliseconds. */
  windowMs?: number
  /** Most kinds that one window tells apart. */
  kindsMax?: number
}

interface Counted {
  attempt: Attempt
  /** Those that are not written down yet. */
  count: number
}

/**
 * Writes attempts down in the audit log. The first of a kind (key, address, code) at once, the others of the same
 * minute as one entry with their number; beyond `kindsMax` kinds they are counted in one. A flood of attempts
 * is a hundred entries a minute and process.
 */
export function createAttemptLog(options: AttemptLogOptions) {
  const { database, onError, windowMs = 60_000, kindsMax = 50 } = options
  let kinds = new Map<string, Counted>()
  let others = 0
  const writing = new Set<Promise<void>>()

  function write({ attempt, count }: Counted) {
    const { actor, address, action, code } = attempt
    const by = actor ?? { workspaceNo: installationNo, key: null, address }
    const entry = {
      actor: by,
      action,
      target: { kind: 'workspace', id: 'refused' } as const,
      appNo: null,
      detail: { code, attempts: count },
    }
    const written = inWorkspaces([by.workspaceNo], () => audit(database, entry))
      .catch(onError)
      .finally(() => writing.delete(written))
    writing.add(written)
  }

  function endWindow() {
    const ended = [...kinds.values()]
    const rest = others
    kinds = new Map()
    others = 0
    for (const counted of ended) if (counted.count > 0) write(counted)
    if (rest === 0) return
    const attempt = {
      actor: null,
      address: 'many',
      action: 'access.refused',
      code: 'many',
    } as const
    write({ attempt, count: rest })
  }

  const timer = setInterval(endWindow, windowMs)
  timer.unref()
  return {
    note(attempt: Attempt) {
      const { actor, address, action, code } = attempt
      const kind = JSON.stringify([actor?.workspaceNo, actor?.key?.id, address, action, code])
      const counted = kinds.get(kind)
      if (counted) counted.count += 1
      else if (kinds.size >= kindsMax) others += 1
      else {
        kinds.set(kind, { attempt, count: 0 })
        write({ attempt, count: 1 })
      }
    },
    /** Writes down what is counted and not written yet. */
    async close() {
      clearInterval(timer)
      endWindow()
      await Promise.all(writing)
    },
  }
}
