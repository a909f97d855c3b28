import { readdir, readFile } from 'node:fs/promises'

export interface Usage {
  /** Resident memory in MB. */
  rssMb: number
  /** Open file descriptors: files, sockets, pipes. */
  handles: number
}

/** What a process uses, by /proc (Linux alone); null where there is none. */
export async function usageOf(pid: number): Promise<Usage | null> {
  try {
    const [status, open] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8'),
      readdir(`/proc/${pid}/fd`),
    ])
    return { rssMb: kilobytes(status, 'VmRSS') / 1024, handles: open.length }
  } catch {
    return null
  }
}

/**
 * PostgreSQL is a process for each connection, and all show the memory that they share: what each
 * has for itself, together.
 */
export async function treeUsageOf(pid: number): Promise<Usage | null> {
  const own = await usageOf(pid)
  if (!own) return null
  const pids = [pid, ...(await childrenOf(pid))]
  const parts = await Promise.all(pids.map(anonymousMb))
  return { rssMb: parts.reduce((sum, mb) => sum + mb, 0), handles: own.handles + pids.length - 1 }
}

async function anonymousMb(pid: number): Promise<number> {
  try {
    return kilobytes(await readFile(`/proc/${pid}/status`, 'utf8'), 'RssAnon') / 1024
  } catch {
    return 0
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.trim().split(' ').filter(Boolean).map(Number)
}

function kilobytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
}

/**
 * Follows the memory of processes between samples: the least of a while is what remains after the
 * collector ran, where a single look may meet it before or after.
 */
export function followUsage(pids: Record<string, number>, everyMs = 1000) {
  let least = new Map<string, Usage>()
  const look = async () => {
    for (const [name, pid] of Object.entries(pids)) {
      const usage = name === 'postgres' ? await treeUsageOf(pid) : await usageOf(pid)
      if (!usage) continue
      const before = least.get(name)
      const rssMb = Math.min(usage.rssMb, before?.rssMb ?? Number.POSITIVE_INFINITY)
      least.set(name, { rssMb, handles: usage.handles })
    }
  }
  const timer = setInterval(() => void look(), everyMs)
  return {
    /** The least memory and the present handles since the last call. A process that died has none. */
    async take(): Promise<Record<string, Usage>> {
      await look()
      const taken = Object.fromEntries(
        Object.keys(pids).flatMap((name) => {
          const usage = least.get(name)
          return usage ? [[name, { ...usage, rssMb: Math.round(usage.rssMb * 10) / 10 }]] : []
        }),
      )
      least = new Map()
      return taken
    },
    stop: () => clearInterval(timer),
  }
}
