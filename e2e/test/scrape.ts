/** A metric as a process tells it. */
export interface Metric {
  name: string
  type: string
  help: string
  /** Each sample by its full name with labels, in the order of the text. */
  samples: { name: string; labels: Record<string, string>; value: number }[]
}

const sampleText = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/
const labelText = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g

/** Reads the text format of Prometheus. Throws where a line is none of it, or a metric stands twice. */
export function readMetrics(text: string): Map<string, Metric> {
  const metrics = new Map<string, Metric>()
  let current: Metric | null = null
  for (const line of text.split('\n')) {
    if (line === '') continue
    const help = /^# HELP (\S+) (.*)$/.exec(line)
    const type = /^# TYPE (\S+) (\S+)$/.exec(line)
    if (help) {
      const [, name = '', said = ''] = help
      if (metrics.has(name)) throw new Error(`${name} stands twice`)
      current = { name, type: '', help: said, samples: [] }
      metrics.set(name, current)
    } else if (type && current) current.type = type[2] ?? ''
    else current?.samples.push(sampleOf(line))
  }
  return metrics
}

function sampleOf(line: string): Metric['samples'][number] {
  const parts = sampleText.exec(line)
  if (!parts) throw new Error(`no sample: ${line}`)
  const [, name = '', labels = '', value = ''] = parts
  const pairs = [...labels.matchAll(labelText)].map(([, label = '', text = '']) => [label, text])
  return { name, labels: Object.fromEntries(pairs), value: Number(value) }
}

/** The metrics of several processes as one: of each all samples. */
export function together(all: readonly Map<string, Metric>[]): Map<string, Metric> {
  const sum = new Map<string, Metric>()
  for (const metric of all.flatMap((one) => [...one.values()])) {
    const known = sum.get(metric.name)
    if (known) known.samples.push(...metric.samples)
    else sum.set(metric.name, { ...metric, samples: [...metric.samples] })
  }
  return sum
}

/** Names of series, each with the labels that it has. What histograms write has its own names. */
export function seriesOf(metrics: ReadonlyMap<string, Metric>): Map<string, Set<string>> {
  const series = new Map<string, Set<string>>()
  for (const { samples } of metrics.values()) {
    for (const { name, labels } of samples) {
      const known = series.get(name) ?? new Set()
      for (const label of Object.keys(labels)) known.add(label)
      series.set(name, known)
    }
  }
  return series
}
