import { readFile } from 'node:fs/promises'

/** CPU seconds that a process has used, and its resident memory; Linux only. */
export interface Usage {
  cpuSeconds: number
  /** Of children that have ended. */
  endedSeconds: number
  rssMb: number
}

const ticksPerSecond = 100

/** Reads a process's usage from /proc; null where it is gone. */
export async function usageOf(pid: number): Promise<Usage | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = (from: number) => Number(fields[from]) + Number(fields[from + 1])
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const rssKb = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0)
    return {
      cpuSeconds: ticks(11) / ticksPerSecond,
      endedSeconds: ticks(13) / ticksPerSecond,
      rssMb: rssKb / 1024,
    }
  } catch {
    return null
  }
}

/** The CPU that the children of a process have used, themselves included: PostgreSQL's back ends. */
export async function treeCpuSeconds(pid: number): Promise<number> {
  const usage = await usageOf(pid)
  const own = usage ? usage.cpuSeconds + usage.endedSeconds : 0
  const children = await childrenOf(pid)
  const below = await Promise.all(children.map(treeCpuSeconds))
  return below.reduce((sum, seconds) => sum + seconds, own)
}

async function childrenOf(pid: number): Promise<number[]> {
  try {
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return text.trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** How much of one core each named process used while `work` ran. */
export async function measureCpu<T>(
  pids: Record<string, number>,
  work: () => Promise<T>,
): Promise<{ result: T; seconds: number; cores: Record<string, number> }> {
  const before = await usages(pids)
  const began = performance.now()
  const result = await work()
  const seconds = (performance.now() - began) / 1000
  const after = await usages(pids)
  const cores = Object.fromEntries(
    Object.keys(pids).map((name) => {
      const used = (after[name] ?? 0) - (before[name] ?? 0)
      return [name, Math.round((used / seconds) * 100) / 100]
    }),
  )
  return { result, seconds, cores }
}

async function usages(pids: Record<string, number>): Promise<Record<string, number>> {
  const entries = Object.entries(pids).map(
    async ([name, pid]) => [name, await treeCpuSeconds(pid)] as const,
  )
  return Object.fromEntries(await Promise.all(entries))
}

/** Samples a process's resident memory until stopped; returns the largest and the last, in MB. */
export function sampleMemory(pid: number, everyMs = 200) {
  const samples: number[] = []
  const timer = setInterval(() => {
    void usageOf(pid).then((usage) => usage && samples.push(usage.rssMb))
  }, everyMs)
  return {
    stop(): { peakMb: number; medianMb: number } {
      clearInterval(timer)
      const sorted = samples.toSorted((a, b) => a - b)
      return {
        peakMb: Math.round(sorted.at(-1) ?? 0),
        medianMb: Math.round(sorted[sorted.length >> 1] ?? 0),
      }
    },
  }
}
