import { hasRedisServer } from '@pushkeep/local-runner'
import { expect, test } from 'vitest'
import { runChaos } from '../chaos/run.ts'

test('under a little of every fault nothing is lost, doubled, sent to the wrong person or left wrong', async () => {
  const lines: string[] = []
  const isWell = await runChaos({
    seed: 20_261_125,
    backend: hasRedisServer() ? 'redis' : 'postgres',
    only: [],
    isShort: true,
    print: (line) => lines.push(line),
  })
  expect(isWell, lines.join('\n')).toBe(true)
}, 300_000)
