/** An array literal of values that need no quoting: joined natively, not escaped one by one. */
export function listOf<Item>(
  items: readonly Item[],
  textOf: (item: Item) => number | string | boolean | null,
): string {
  return `{${items.map((item) => textOf(item) ?? 'null').join(',')}}`
}

/**
 * An array literal of texts. Those that nothing has to be escaped in JSON writes as PostgreSQL reads them,
 * natively.
 */
export function textListOf<Item>(
  items: readonly Item[],
  textOf: (item: Item) => string | null,
): string {
  const texts = items.map(textOf)
  const json = JSON.stringify(texts)
  if (!json.includes('\\')) return `{${json.slice(1, -1)}}`
  return `{${texts.map((text) => (text === null ? 'null' : quoted(text))).join(',')}}`
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}
