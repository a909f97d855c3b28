import type { Attributes, Outcome } from '@pushkeep/domain'
import type { Personal, Personalise, PushProvider, PushTarget } from '@pushkeep/providers'
import type { RenderPlace, Slices } from './render-slices.ts'

/** Sends one push of a message; `customer`: what its templates read of the person. */
export type Sender = (
  target: PushTarget,
  customer: Attributes | null,
  done: (outcome: Outcome) => void,
) => void

/** A message's templates, parsed when the first push needs them, and what came with the message. */
interface Rendered<Push> {
  personalise: () => Personalise<Push>
  trigger: Attributes
}

/**
 * What the message says to each person is made when it is sent to them. Templates that cannot be read, such as
 * those that an older version took, fail the delivery: no other attempt would read them. One that ran out of time
 * is rendered once more in a later slice, since a busy machine stands still as well; then it has failed.
 */
export function sendPersonal<Push>(
  provider: PushProvider<Push>,
  { personalise, trigger }: Rendered<Push>,
  slices: Slices,
  place: RenderPlace,
): Sender {
  function render(target: PushTarget, customer: Attributes | null): Personal<Push> {
    try {
      return personalise()({ customer, trigger }, Buffer.byteLength(target.token))
    } catch {
      return { kind: 'refused', reason: 'template_failed' }
    }
  }
  return (target, customer, done) => {
    let isSecond = false
    const refuse = (reason: string) =>
      queueMicrotask(() => done({ kind: 'message-refused', reason }))
    slices.run(place, {
      render() {
        const personal = render(target, customer)
        switch (personal.kind) {
          case 'push':
            provider.send(personal.push, target, done)
            return 'done'
          case 'refused':
            refuse(personal.reason)
            return 'done'
          case 'out-of-time':
            if (!isSecond) {
              isSecond = true
              return 'again'
            }
            refuse('template_failed')
            return 'done'
        }
      },
      overdue: () => queueMicrotask(() => done({ kind: 'unsent', reason: 'render-timeout' })),
    })
  }
}

/** Makes a value when it is first asked for. */
export function once<Value>(make: () => Value): () => Value {
  let made: { value: Value } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
