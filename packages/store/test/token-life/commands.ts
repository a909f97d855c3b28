import fc from 'fast-check'

/** Everything that happens in a life, as data: a counterexample reads like a list of what was done. */
export type Command =
  | {
      do: 'register'
      token: string
      person: string | null
      /** Where it names no person: nobody is identified on the phone. */
      isAnonymous: boolean
      installation: string | null
      previous: string | null
      allows: boolean
      when: When
    }
  | Change
  | OfPerson
  | { do: 'send'; to: string | null; onUnknown: 'retry' | 'give_up' }
  /** A worker leases an open chunk, or claims its next window. */
  | { do: 'claim'; chunk: number }
  | { do: 'lease runs out'; chunk: number; isRung: boolean }
  | { do: 'record'; answers: GivenAnswer[] }

export interface Change {
  do: 'clear identify' | 'delete device'
  token: string
  person: string | null
  when: When
}

export interface OfPerson {
  do: 'delete person' | 'suppress' | 'unsuppress'
  person: string
}

/** A call's time by its client's clock: now, a clock that runs ahead, or as it was some steps ago. */
export type When = 'now' | 'ahead' | number

/** What a provider says of an earlier send, and how many steps ago it did. */
export interface GivenAnswer {
  send: number
  says: 'accepted' | 'dead' | 'ambiguous' | 'refused' | 'busy'
  /** Of `dead`: since how many steps ago; null where the provider does not tell. */
  since: number | null
  ago: number
}

export const tokens = ['t1', 't2', 't3', 't4'] as const
const people = ['A', 'B', 'C'] as const
const installations = ['phone', 'tablet'] as const

// Few do most, so that they meet.
const token = fc.constantFrom('t1', 't1', ...tokens)
const person = fc.constantFrom('A', ...people)
const ago = fc.nat(8)
const when: fc.Arbitrary<When> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<When>('now') },
  { weight: 3, arbitrary: ago },
  { weight: 1, arbitrary: fc.constant<When>('ahead') },
)
/** The value in `share` of four cases, else null. */
function perhaps<T>(arbitrary: fc.Arbitrary<T>, share: 1 | 2 | 3): fc.Arbitrary<T | null> {
  return fc.oneof({ weight: share, arbitrary }, { weight: 4 - share, arbitrary: fc.constant(null) })
}

const register: fc.Arbitrary<Command> = fc.record({
  do: fc.constant('register'),
  token,
  person: perhaps(person, 3),
  isAnonymous: fc.boolean(),
  installation: perhaps(fc.constantFrom(...installations), 2),
  previous: perhaps(token, 1),
  allows: fc.oneof(
    { weight: 5, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constant(false) },
  ),
  when,
})

const change: fc.Arbitrary<Command> = fc.record({
  do: fc.constantFrom('clear identify', 'clear identify', 'delete device'),
  token,
  person: perhaps(person, 2),
  when,
})

const ofPerson: fc.Arbitrary<Command> = fc.record({
  do: fc.constantFrom('delete person', 'suppress', 'unsuppress'),
  person,
})

const send: fc.Arbitrary<Command> = fc.record({
  do: fc.constant('send'),
  to: perhaps(person, 3),
  onUnknown: fc.constantFrom('retry', 'give_up'),
})

const answer: fc.Arbitrary<GivenAnswer> = fc.record({
  send: fc.nat(5),
  says: fc.constantFrom(
    'accepted',
    'accepted',
    'dead',
    'dead',
    'ambiguous',
    'ambiguous',
    'ambiguous',
    'refused',
    'busy',
  ),
  since: perhaps(ago, 3),
  ago: fc.nat(4),
})

const claim: fc.Arbitrary<Command> = fc.record({ do: fc.constant('claim'), chunk: fc.nat(3) })

const leaseEnd: fc.Arbitrary<Command> = fc.record({
  do: fc.constant('lease runs out'),
  chunk: fc.nat(3),
  isRung: fc.boolean(),
})

const record: fc.Arbitrary<Command> = fc.record({
  do: fc.constant('record'),
  answers: fc.array(answer, { minLength: 1, maxLength: 3 }),
})

const command = (registry: number, delivery: number): fc.Arbitrary<Command> =>
  fc.oneof(
    { weight: 3 * registry, arbitrary: register },
    { weight: registry, arbitrary: change },
    { weight: registry, arbitrary: ofPerson },
    { weight: 2 * delivery, arbitrary: send },
    { weight: 4 * delivery, arbitrary: claim },
    { weight: delivery, arbitrary: leaseEnd },
    { weight: 4 * delivery, arbitrary: record },
  )

/** In one the devices change hands all the time, in the other they live long enough to fail often. */
const [restless, calm] = [command(4, 2), command(1, 4)]

/** A life, with some commands at once in each of its steps. */
export function lives(atOnceMax: number, stepsMax: number): fc.Arbitrary<Command[][]> {
  const steps = (one: fc.Arbitrary<Command>) =>
    fc.array(fc.array(one, { minLength: 1, maxLength: atOnceMax }), {
      minLength: Math.ceil(stepsMax / 5),
      maxLength: stepsMax,
      size: 'max',
    })
  return fc.oneof(steps(restless), steps(calm))
}
