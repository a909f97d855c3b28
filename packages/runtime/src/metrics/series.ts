/** Labels as the text format has them, between the braces. */
export function labelText<Label extends string>(
  names: readonly Label[],
  labels: Readonly<Record<Label, string>>,
): string {
  return names.map((name) => `${name}="${escaped(labels[name])}"`).join(',')
}

/** A sample's name with its labels. */
export function sampleName(name: string, labels: string): string {
  return labels === '' ? name : `${name}{${labels}}`
}

/** The two lines before the samples of a metric. */
export function metricHead(name: string, help: string, type: 'counter' | 'histogram'): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))
}
