import { createRandom, type Random } from '../random.ts'
import { type Case, draftOf, type Expected } from './case.ts'
import type { Operation } from './documents.ts'
import { textOf } from './json-tree.ts'
import type { Known } from './known.ts'
import { mutateBody } from './mutate-body.ts'
import { mutateHeaders } from './mutate-headers.ts'
import { mutatePath, mutateQuery } from './mutate-target.ts'
import { hugeBody, mutateText, randomBody, type TextMutation } from './mutate-text.ts'
import { type Model, validModel } from './valid.ts'

type Made = Omit<Case, 'number' | 'operation'>

/** How often each way is tried, where an operation has a part that it changes. */
const ways: [weight: number, make: (model: Model, known: Known, random: Random) => Made | null][] =
  [
    [12, (model) => valid(model)],
    [45, (model, _known, random) => badBody(model, random)],
    [10, (model, _known, random) => badText(model, random)],
    [8, (model, _known, random) => random_(model, random)],
    [0.3, (model) => huge(model)],
    [9, (model, _known, random) => fromModel(mutatePath(model, random), false)],
    [10, (model, _known, random) => fromModel(mutateQuery(model, random), true)],
    [10, headers],
  ]
const weights = ways.reduce((sum, [weight]) => sum + weight, 0)

/** The n-th case of a seed, for one of these operations: the same each time. */
export function makeCase(
  seed: string,
  number: number,
  operations: readonly Operation[],
  known: Known,
): Case {
  const random = createRandom(seed, number)
  const operation = random.pick(operations.flatMap(byWeight))
  const model = validModel(operation, known, random)
  // A way that the operation offers nothing for is another try.
  for (;;) {
    let at = random.next() * weights
    const way = ways.find(([weight]) => {
      at -= weight
      return at < 0
    })
    const made = way?.[1](model, known, random)
    if (made) return { number, operation, ...made }
  }
}

/** An operation that reads more of a request is tried more often. */
function byWeight(operation: Operation): Operation[] {
  const parts = operation.parameters.filter((parameter) => parameter.in === 'query').length
  const weight = operation.isOpen ? 1 : 3 + parts + (operation.body ? 8 : 0)
  return Array.from({ length: weight }, () => operation)
}

function valid(model: Model): Made {
  return made('a valid request', model, { kind: 'taken' }, true)
}

function badBody(model: Model, random: Random): Made | null {
  if (!model.body) return null
  const mutation = mutateBody(model.operation, model.body, random)
  if (!mutation) return null
  return made(mutation.what, { ...model, body: mutation.body }, mutation.expected, true)
}

function badText(model: Model, random: Random): Made | null {
  if (!model.body) return null
  return fromText(model, mutateText(textOf(model.body), random))
}

function random_(model: Model, random: Random): Made | null {
  return model.body ? fromText(model, randomBody(model.operation, random)) : null
}

function huge(model: Model): Made | null {
  return model.body ? fromText(model, hugeBody(model.operation)) : null
}

function headers(model: Model, known: Known, random: Random): Made | null {
  const change = mutateHeaders(model, known, random)
  return change && { ...change, model: null, reachesRoute: !isAboutSize(change.expected) }
}

/** Headers that are too large never get as far as a route. */
function isAboutSize(expected: Expected): boolean {
  return expected.kind === 'refused' && expected.statuses.includes(431)
}

function fromText(model: Model, { what, body, expected }: TextMutation): Made {
  const draft = { ...draftOf(model), body }
  return { what, draft, expected, model: null, reachesRoute: true }
}

function fromModel(
  mutation: { what: string; model: Model; expected: Expected } | null,
  reachesRoute: boolean,
): Made | null {
  return mutation && made(mutation.what, mutation.model, mutation.expected, reachesRoute)
}

function made(what: string, model: Model, expected: Expected, reachesRoute: boolean): Made {
  return { what, draft: draftOf(model), expected, model, reachesRoute }
}
