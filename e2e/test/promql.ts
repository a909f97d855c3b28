import type { SyntaxNode } from '@lezer/common'
import { parser } from '@prometheus-io/lezer-promql'

/** A series that an expression reads, and the labels that it is asked for. */
export interface Selector {
  metric: string
  labels: string[]
}

export interface Query {
  selectors: Selector[]
  /** Labels by which it groups or joins, with what is selected inside. */
  groupings: { labels: string[]; of: Selector[] }[]
}

/** What an expression of PromQL names. Throws where it is none. */
export function readQuery(text: string): Query {
  const expression = text.replaceAll('$__rate_interval', '5m')
  const textOf = (node: SyntaxNode) => expression.slice(node.from, node.to)
  const query: Query = { selectors: [], groupings: [] }

  function visit(node: SyntaxNode): void {
    if (node.type.isError) throw new Error(`no PromQL at ${node.from}: ${text}`)
    if (node.name === 'VectorSelector') query.selectors.push(selectorOf(node, textOf))
    const labels = node.getChild('AggregateModifier') ?? node.getChild('MatchingModifierClause')
    const grouped = labels?.getChild('GroupingLabels')
    if (grouped) {
      query.groupings.push({
        labels: grouped.getChildren('LabelName').map(textOf),
        of: selectorsIn(node).map((inner) => selectorOf(inner, textOf)),
      })
    }
    for (let child = node.firstChild; child; child = child.nextSibling) visit(child)
  }

  visit(parser.parse(expression).topNode)
  return query
}

function selectorOf(node: SyntaxNode, textOf: (node: SyntaxNode) => string): Selector {
  const identifier = node.getChild('Identifier')
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []
  return {
    metric: identifier ? textOf(identifier) : '',
    labels: matchers.flatMap((matcher) => matcher.getChildren('LabelName').map(textOf)),
  }
}

function selectorsIn(node: SyntaxNode): SyntaxNode[] {
  if (node.name === 'VectorSelector') return [node]
  const found: SyntaxNode[] = []
  for (let child = node.firstChild; child; child = child.nextSibling) {
    found.push(...selectorsIn(child))
  }
  return found
}
