import type { Metrics } from './metrics.ts'
import { labelText, metricHead, sampleName } from './series.ts'

export interface CounterOptions<Label extends string> {
  name: string
  help: string
  labelNames: readonly Label[]
}

/** One set of labels of a counter. */
export interface CounterSeries {
  count: number
}

/**
 * A counter for hot paths: labels are looked up once, and counting is an addition. prom-client's own
 * joins and checks the labels each time (1.3 µs), which at 15,000 pushes a second is 2 % of a core.
 */
export class FastCounter<Label extends string> {
  readonly #options: CounterOptions<Label>
  readonly #series = new Map<string, CounterSeries>()

  constructor(metrics: Metrics, options: CounterOptions<Label>) {
    this.#options = options
    metrics.add(() => this.#text())
  }

  /** The series of these labels, to be kept by whoever counts; it appears with 0. */
  series(labels: Readonly<Record<Label, string>>): CounterSeries {
    const text = labelText(this.#options.labelNames, labels)
    const known = this.#series.get(text)
    if (known) return known
    const fresh = { count: 0 }
    this.#series.set(text, fresh)
    return fresh
  }

  #text(): string {
    const { name, help } = this.#options
    const samples = [...this.#series].map(
      ([labels, { count }]) => `${sampleName(name, labels)} ${count}`,
    )
    return `${[...metricHead(name, help, 'counter'), ...samples].join('\n')}\n`
  }
}
