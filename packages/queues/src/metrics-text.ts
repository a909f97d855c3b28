/**
 * Several texts of Prometheus' format as one. Each queue writes its own, with the same metrics: all
 * samples of one have to stand together, under one head.
 */
export function mergeMetrics(texts: readonly string[]): string {
  const metrics = new Map<string, { head: string[]; samples: string[] }>()
  for (const text of texts) {
    let current = { head: [] as string[], samples: [] as string[] }
    for (const line of text.split('\n')) {
      const named = /^# HELP (\S+) /.exec(line)
      if (named?.[1] !== undefined) {
        current = metrics.get(named[1]) ?? { head: [], samples: [] }
        metrics.set(named[1], current)
      }
      if (!line.startsWith('#')) current.samples.push(line)
      else if (!current.head.includes(line)) current.head.push(line)
    }
  }
  return [...metrics.values()]
    .flatMap(({ head, samples }) => [...head, ...samples])
    .map((line) => `${line}\n`)
    .join('')
}
