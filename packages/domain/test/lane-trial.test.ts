import { expect, test } from 'vitest'
import { type LaneResumed, resumedWords } from '../src/index.ts'

const tried = (reason: string | null) => ({
  messageId: 'm1',
  deviceNo: 7,
  accepted: reason === null,
  reason,
})

test.each<[LaneResumed, string]>([
  [{ kind: 'open', restored: 0, tried: [tried(null)] }, 'A delivery was accepted'],
  [{ kind: 'open', restored: 3, tried: [] }, 'Nothing waited'],
  [{ kind: 'paused', tried: [] }, 'withheld'],
  [
    { kind: 'paused', tried: [tried('TopicDisallowed'), tried('Forbidden')] },
    'of 2 tried none was accepted: TopicDisallowed (message m1), Forbidden (message m1).',
  ],
  [{ kind: 'trying', hasWorkers: true }, 'stays paused until one is accepted'],
  [{ kind: 'trying', hasWorkers: false }, 'No worker runs'],
])('%j is told', (resumed, words) => {
  expect(resumedWords(resumed)).toContain(words)
})
