import { describe, expect, test } from 'vitest'
import { type Arrival, FATE, REPEAT_BY } from '../src/journal/arrival.ts'
import { mixIn, newFingerprint } from '../src/journal/fingerprints.ts'
import { Journal } from '../src/journal/journal.ts'
import { Ledger } from '../src/journal/ledger.ts'
import { Seen } from '../src/journal/seen.ts'
import { seededRandom } from '../src/random.ts'

function arrival(changed: Partial<Arrival>): Arrival {
  return {
    source: 0,
    connection: 1,
    token: 'token',
    id: '',
    collapseId: '',
    messageId: '',
    repeatBy: REPEAT_BY.nothing,
    topic: 'com.example',
    pushType: 'alert',
    body: null,
    ...changed,
  }
}

function fingerprint(text: string) {
  const words = new Int32Array(16)
  const print = newFingerprint()
  mixIn(print, words, 0, Buffer.from(words.buffer).write(text))
  return print
}

describe('a fingerprint', () => {
  test('counts tokens and repeats as sets of texts do', () => {
    const random = seededRandom(7)
    const seen = new Seen()
    const [tokens, pairs] = [new Set<string>(), new Set<string>()]
    let wrong = 0
    for (let n = 0; n < 60_000; n++) {
      const token = `t${Math.floor(random() * 10_000)}`
      const pair = random() < 0.1 ? null : `${token}/${Math.floor(random() * 5)}`
      const repeats = seen.note(fingerprint(token), pair === null ? null : fingerprint(pair))
      if (repeats !== (pair !== null && pairs.has(pair))) wrong += 1
      tokens.add(token)
      if (pair !== null) pairs.add(pair)
    }
    expect([wrong, seen.tokens]).toEqual([0, tokens.size])
  })

  test.each([
    ['a', 'a\0'],
    ['abcd', 'abcdabcd'],
    ['', 'a'],
    ['0123456789abcdef0', '0123456789abcdef1'],
    ['0123456789abcdef', '1023456789abcdef'],
  ])('tells %j from %j', (left, right) => {
    expect(fingerprint(left)).not.toEqual(fingerprint(right))
  })
})

describe('the ledger', () => {
  test('does not take another split of the same letters for a repeat', () => {
    const ledger = new Ledger('count', 0, Date.now)
    const byId = { repeatBy: REPEAT_BY.apnsId }
    ledger.record(arrival({ token: 'ab', id: 'cd', ...byId }), 200, '', FATE.accepted)
    ledger.record(arrival({ token: 'abc', id: 'd', ...byId }), 200, '', FATE.accepted)
    expect(ledger.count()).toMatchObject({ accepted: 2, duplicates: 0, distinct_tokens: 2 })
  })

  test('counts a message without a token, but no token for it', () => {
    const ledger = new Ledger('full', 10, Date.now)
    ledger.record(arrival({ source: 2, token: '' }), 200, '', FATE.accepted)
    expect(ledger.count()).toMatchObject({ accepted: 1, distinct_tokens: 0 })
  })
})

describe('a journal', () => {
  test('keeps its newest entries over many segments', () => {
    const journal = new Journal(40_000)
    for (let n = 1; n <= 100_000; n++) {
      journal.append(arrival({ token: `t${n}`, body: Buffer.from(`b${n}`) }), 200, '', 1, n)
    }
    const kept = [...journal.places()]
    const first = kept[0]
    expect([kept.length, journal.dropped]).toEqual([40_000, 60_000])
    expect(first && journal.read(first)).toMatchObject({ seq: 60_001, token: 't60001', at: 60_001 })
    const last = kept.at(-1)
    expect(last && journal.read(last)).toMatchObject({ token: 't100000', body: 'b100000' })
  })

  test('counts a payload that is too large to be kept', () => {
    const journal = new Journal(10)
    journal.append(arrival({ body: Buffer.alloc(70_000) }), 200, '', FATE.accepted, 0)
    journal.append(arrival({ token: '€'.repeat(20_000) }), 200, '', FATE.accepted, 0)
    const entries = [...journal.places()].map((place) => journal.read(place))
    expect(entries).toMatchObject([{ body: '' }, { token: '€'.repeat(16_384) }])
  })
})
