/**
 * JSON as it is written, not as it is understood: keys may come twice or be `__proto__`, and a leaf
 * may be any text (`1e400`, ten thousand brackets, nonsense).
 */
export type Tree =
  | { kind: 'object'; entries: [key: string, value: Tree][] }
  | { kind: 'array'; items: Tree[] }
  | { kind: 'leaf'; text: string }

export type Path = (string | number)[]

export function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { kind: 'array', items: value.map(treeOf) }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
    return { kind: 'object', entries: entries.map(([key, inner]) => [key, treeOf(inner)]) }
  }
  return leaf(JSON.stringify(value))
}

/** A leaf of this text, whatever it is. */
export function leaf(text: string): Tree {
  return { kind: 'leaf', text }
}

export function textOf(tree: Tree): string {
  switch (tree.kind) {
    case 'object': {
      const entries = tree.entries.map(([key, value]) => `${JSON.stringify(key)}:${textOf(value)}`)
      return `{${entries.join(',')}}`
    }
    case 'array':
      return `[${tree.items.map(textOf).join(',')}]`
    case 'leaf':
      return tree.text
  }
}

/** The tree with another value at a place; `null` takes it away. */
export function replaceAt(tree: Tree, path: Path, value: Tree | null): Tree {
  const [head, ...rest] = path
  if (head === undefined) return value ?? leaf('')
  if (tree.kind === 'object') {
    const entries = tree.entries.flatMap(([key, inner]): [string, Tree][] => {
      if (key !== head) return [[key, inner]]
      if (rest.length === 0 && value === null) return []
      return [[key, replaceAt(inner, rest, value)]]
    })
    return { kind: 'object', entries }
  }
  if (tree.kind === 'array') {
    const items = tree.items.flatMap((inner, index) => {
      if (index !== head) return [inner]
      if (rest.length === 0 && value === null) return []
      return [replaceAt(inner, rest, value)]
    })
    return { kind: 'array', items }
  }
  return tree
}

/** The tree with one more key in the object at a place, also where it has that key already. */
export function addAt(tree: Tree, path: Path, key: string, value: Tree): Tree {
  const target = path.reduce<Tree | undefined>((inner, part) => inner && childOf(inner, part), tree)
  if (target?.kind !== 'object') return tree
  return replaceAt(tree, path, { kind: 'object', entries: [...target.entries, [key, value]] })
}

export function childOf(tree: Tree, part: string | number): Tree | undefined {
  if (tree.kind === 'object') return tree.entries.find(([key]) => key === part)?.[1]
  return tree.kind === 'array' ? tree.items[Number(part)] : undefined
}

/** Every place in the tree, its own (the empty path) first. */
export function pathsOf(tree: Tree): Path[] {
  const below = (part: string | number, inner: Tree) =>
    pathsOf(inner).map((path): Path => [part, ...path])
  if (tree.kind === 'object')
    return [[], ...tree.entries.flatMap(([key, inner]) => below(key, inner))]
  if (tree.kind === 'array')
    return [[], ...tree.items.flatMap((inner, index) => below(index, inner))]
  return [[]]
}
