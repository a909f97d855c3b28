import { expect, test } from 'vitest'
import {
  type IdentityDoubt,
  type IdentityMode,
  type IdentityProof,
  judgeIdentity,
  strictestMode,
} from '../src/index.ts'

const ana: IdentityProof = { kind: 'proven', personId: 'ana' }
const ben: IdentityProof = { kind: 'proven', personId: 'ben' }
const bad = (doubt: IdentityDoubt): IdentityProof => ({ kind: 'doubtful', doubt })

const proven = { kind: 'admitted', isProven: true, doubt: null }
const unasked = { kind: 'admitted', isProven: false, doubt: null }
const noted = (doubt: IdentityDoubt) => ({ kind: 'admitted', isProven: false, doubt })
const refused = (doubt: IdentityDoubt) => ({ kind: 'refused', doubt })

test.each<[IdentityMode, string, IdentityProof[], object]>([
  ['off', 'nothing', [], unasked],
  ['off', 'a good token', [ana], proven],
  ['off', 'a bad token', [bad('expired')], unasked],
  ['log', 'nothing', [], noted('missing')],
  ['log', 'a good token', [ana], proven],
  ['log', 'a bad token', [bad('expired')], noted('expired')],
  ['required', 'nothing', [], refused('missing')],
  ['required', 'a good token', [ana], proven],
  ['required', "somebody else's", [ben], refused('other_person')],
  ['required', 'a bad token', [bad('wrong_signature')], refused('wrong_signature')],
  ['required', 'a bad one beside a good one', [bad('expired'), ana], proven],
  ['required', "a bad one beside somebody else's", [ben, bad('expired')], refused('expired')],
])('%s, with %s', (mode, _name, proofs, verdict) => {
  expect(judgeIdentity(mode, proofs, 'ana')).toEqual(verdict)
})

test.each<[IdentityMode[], IdentityMode]>([
  [[], 'off'],
  [['off'], 'off'],
  [['off', 'log'], 'log'],
  [['required', 'log', 'off'], 'required'],
])('the strictest of %j is %s', (modes, mode) => {
  expect(strictestMode(modes)).toBe(mode)
})
