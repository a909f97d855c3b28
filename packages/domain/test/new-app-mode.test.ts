import { expect, test } from 'vitest'
import { type IdentityMode, modeOfNewApp, type NewAppMode } from '../src/index.ts'

const mode = (mode: IdentityMode): NewAppMode => ({ kind: 'mode', mode })
const ask = (strictest: IdentityMode): NewAppMode => ({ kind: 'ask', strictest })

test.each<[IdentityMode | undefined, IdentityMode[], NewAppMode]>([
  [undefined, [], mode('required')],
  [undefined, ['required'], mode('required')],
  [undefined, ['off', 'required'], mode('required')],
  [undefined, ['off'], ask('off')],
  [undefined, ['off', 'log'], ask('log')],
  ['off', [], mode('off')],
  ['off', ['required'], mode('off')],
  ['log', ['off'], mode('log')],
  ['required', ['off'], mode('required')],
])('a new app that is told %s beside %j', (said, others, expected) => {
  expect(modeOfNewApp(said, others)).toEqual(expected)
})
