import { expect, test } from 'vitest'
import { runAttack, shortSections } from '../attack/run.ts'

test('attackers of every kind are refused, and the victim stays as it was', async () => {
  const lines: string[] = []
  const { tried, held, failed } = await runAttack({
    only: shortSections,
    print: (line) => lines.push(line),
  })
  expect(failed).toEqual([])
  expect(held).toBe(tried)
  expect(tried).toBeGreaterThan(200)
  expect(lines.some((line) => line.startsWith('taken '))).toBe(true)
}, 120_000)
