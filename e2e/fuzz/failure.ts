import { type Case, type Draft, draftOf } from './case.ts'
import { type Path, pathsOf, replaceAt, type Tree } from './json-tree.ts'
import { withoutSecrets } from './target.ts'

/** A case that was not answered as it has to be. */
export interface Failure {
  number: number
  operation: string
  what: string
  faults: string[]
  reproduction: string
}

const bodyShownMax = 400

/** How to make it again, and what was sent; without a key or token. */
export function describeCase(draft: Draft, secrets: readonly string[]): string {
  const { method, target, headers, body } = draft
  const clipped = (text: string, max: number) =>
    text.length > max ? `${text.slice(0, max)}… (${text.length} in all)` : text
  const lines = [
    `${method} ${clipped(target, 300)}`,
    ...headers.map(([name, value]) => `${name}: ${clipped(value, 100)}`).slice(0, 10),
    ...(body ? ['', clipped(body.toString('utf8'), bodyShownMax)] : []),
  ]
  return printable(withoutSecrets(lines.join('\n'), secrets))
}

/** Control characters as they are written in a string: a terminal must not obey them. */
function printable(text: string): string {
  return text.replaceAll(
    /[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\uffff]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

const triesMax = 60

/**
 * The smallest request that still fails in the same way: parts of the body and query are left out
 * for as long as it does.
 */
export async function shrink(
  one: Case,
  fails: (smaller: Case) => Promise<boolean>,
): Promise<Draft> {
  // Less of a valid request is refused for what it lacks.
  if (!one.model || one.expected.kind === 'taken') return one.draft
  let model = one.model
  let tries = 0
  const attempt = async (smaller: typeof model) => {
    tries += 1
    if (!(await fails({ ...one, model: smaller, draft: draftOf(smaller) }))) return false
    model = smaller
    return true
  }
  for (const [name] of model.query) {
    await attempt({ ...model, query: model.query.filter(([key]) => key !== name) })
  }
  let isSmaller = true
  while (isSmaller && model.body && tries < triesMax) {
    isSmaller = false
    for (const path of removable(model.body)) {
      if (tries >= triesMax) break
      isSmaller = await attempt({ ...model, body: replaceAt(model.body, path, null) })
      if (isSmaller) break
    }
  }
  return draftOf(model)
}

/** Places that can be taken away, the largest first. */
function removable(body: Tree): Path[] {
  return pathsOf(body)
    .filter((path) => path.length > 0)
    .toSorted((a, b) => a.length - b.length)
}
