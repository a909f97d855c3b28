/** Work side by side: what has the same key is done in the order in which it is given. */
export interface Lanes {
  /** Divides what there is by its keys; a part begins when what was given before it to its lane is done. */
  run<T>(
    all: readonly T[],
    keyOf: (one: T) => string,
    work: (part: T[]) => Promise<unknown>,
  ): Promise<unknown>
  /** After all that was given before, and before all that is given later. */
  alone(work: () => Promise<unknown>): Promise<unknown>
}

/** So many lanes. Work that fails fails what is given to its lane afterwards, without a beginning. */
export function createLanes(count: number): Lanes {
  let last: Promise<unknown>[] = Array.from({ length: count }, () => Promise.resolve())

  function next(lanes: Promise<unknown>[]) {
    last = lanes
    const done = Promise.all(lanes)
    // Whoever waits for it is told; until somebody does, it is not unhandled.
    done.catch(() => {})
    return done
  }

  return {
    run(all, keyOf, work) {
      const parts = Map.groupBy(all, (one) => numberOf(keyOf(one)) % count)
      return next(
        last.map((before, n) => {
          const part = parts.get(n)
          return part ? before.then(() => work(part)) : before
        }),
      )
    },
    alone(work) {
      const done = Promise.all(last).then(work)
      return next(last.map(() => done))
    },
  }
}

function numberOf(text: string): number {
  let number = 0
  for (let n = 0; n < text.length; n += 1) number = (number * 31 + text.charCodeAt(n)) >>> 0
  return number
}
